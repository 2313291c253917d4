"""The npm package of a network: our compiled TypeScript, filled with models, manifest and policy, as a tarball.

The sources are in `web/`; `npm/` beside this file holds what they compile to, so that no user needs Node to build.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from melanoma_edge.targets._documents import document, filled, package_name

FORMAT = 1
VERSION = "0.1.0"  # of the package that is made: its users count their own from here
EXECUTABLE = ("bin/assets.js",)


def tarball(name: str, manifest: Mapping[str, Any], assets: Mapping[str, bytes], licence: str) -> tuple[str, bytes]:
    """File name and bytes of the package: the same for the same input, whenever and wherever.

    name: of the bundle. manifest: as `web/src/manifest-types.ts` describes it. assets: by their name below `assets/`.
    licence: of the weights, in words.
    """
    package = package_name(name)
    file = f"{package}-{VERSION}.tgz"
    held = compiled()
    held |= {f"assets/{path}": data for path, data in assets.items()}
    held["dist/manifest.js"] = f"export const manifest = {json.dumps(manifest, indent=2)};\n".encode()
    held["package.json"] = document(_described(package, manifest))
    held["README.md"] = _readme(package, file, manifest, licence).encode()
    return file, _packed(held)


def fingerprint() -> str:
    """sha256 of everything in the package that is the same for every network."""
    digest = sha256(_root().joinpath("README.md").read_bytes())
    for path, data in sorted(_compiled(), key=lambda pair: pair[0]):
        digest.update(path.encode() + data.read_bytes())
    return digest.hexdigest()


def runtimes() -> dict[str, Any]:
    """Package, version and files with their sha256 of the runtimes that the sources were compiled and tested with."""
    return dict(json.loads(_root().joinpath("runtimes.json").read_text()))


def compiled() -> dict[str, bytes]:
    """Everything in the package that our TypeScript compiled to, by its place there."""
    return {path: data.read_bytes() for path, data in _compiled()}


def file(name: str) -> bytes:
    """A file that lies beside the compiled ones and is not part of the package."""
    return _root().joinpath(name).read_bytes()


def _readme(package: str, file: str, manifest: Mapping[str, Any], licence: str) -> str:
    """The template with its words in capitals filled in."""
    models, peer = manifest["models"], manifest["runtimes"][manifest["models"][0]["runtime"]]
    words = {
        "NAME": manifest["name"],
        "GENERATOR": manifest["generator"],
        "TARBALL": file,
        "PEER": f"{peer['package']}@{peer['version']}",
        "PACKAGE": package,
        "MODELS": "\n".join(_row(m) for m in models),
        "ORDERED": _ordered(manifest["order"]),
        "LICENCE": licence,
    }
    return filled(_root().joinpath("README.md").read_text(), words)


def _row(model: Mapping[str, Any]) -> str:
    """A model as a row of the README's table."""
    figures = [f"{value:.2f}" if value is not None else "" for value in (model["milliseconds"], model["byFloat"])]
    return f"| `{model['id']}` | {model['runtime']} | {model['bytes']:,} | {figures[0]} | {figures[1]} |"


def _ordered(order: Mapping[str, Any]) -> str:
    """What decided the order of the models, in words."""
    if order["browser"]:
        return f"the fastest in {order['browser']}, on one thread of the machine that built this package"
    return f"the fastest on the networks that were measured; this one was not timed in a browser ({order['why']})"


def _described(package: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The package.json. The default model's runtime is needed, the others are optional."""
    first = manifest["models"][0]["runtime"]
    peers = {r["package"]: r["version"] for r in manifest["runtimes"].values()}
    optional = [r["package"] for key, r in manifest["runtimes"].items() if key != first]
    return {
        "name": package,
        "version": VERSION,
        "description": "A skin-lesion classifier that runs on the user's device. Never a diagnosis.",
        "license": "SEE LICENSE IN README.md",
        "type": "module",
        "sideEffects": False,
        "exports": {
            ".": {"types": "./dist/index.d.ts", "default": "./dist/index.js"},
            "./package.json": "./package.json",
        },
        "types": "./dist/index.d.ts",
        "bin": {package: EXECUTABLE[0]},
        "files": ["assets", "bin", "demo", "dist"],
        "peerDependencies": peers,
        "peerDependenciesMeta": {name: {"optional": True} for name in optional},
    }


def _root() -> Traversable:
    return files("melanoma_edge.targets").joinpath("npm")


def _compiled(folder: Traversable | None = None, below: str = "") -> list[tuple[str, Traversable]]:
    """Every compiled file with its place in the package."""
    entries = []
    for entry in (folder or _root()).iterdir():
        if entry.is_dir():
            entries += _compiled(entry, f"{below}{entry.name}/")
        elif below:
            entries.append((below + entry.name, entry))
    return entries


def _packed(held: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(held):
            member = tarfile.TarInfo(f"package/{path}")
            member.size, member.mode = len(held[path]), 0o755 if path in EXECUTABLE else 0o644
            tar.addfile(member, io.BytesIO(held[path]))
    return gzip.compress(buffer.getvalue(), compresslevel=9, mtime=0)
