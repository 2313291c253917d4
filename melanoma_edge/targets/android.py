"""Android: a library (AAR) in a folder that Gradle takes it from, with INT8 and, if asked, float32; and both files.

LiteRT's INT8 kernels give the bits of their Python package, which therefore judges and times these files.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, write_atomic
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.runtime.predict import Predict
from melanoma_edge.targets import Contents, Place, _aar, _maven, place
from melanoma_edge.targets._documents import document, filled, header, listed, package_name
from melanoma_edge.targets._golden import FLOAT_TOLERANCE, golden, int8_tolerance, pictures

ARTIFACTS = (
    Place("tflite", "float32", "android"),
    Place("tflite", "int8", "android"),
)
RUNTIMES = ("litert",)
PRECISIONS = {"int8": "the INT8 file", "float32": "the float32 file (`create(context, Precision.FLOAT32)`)"}
DECODED = ("image/png", "image/jpeg")  # what the library takes


def pack(artifacts: Sequence[Artifact]) -> Mapping[str, Path]:
    """Relative name in the bundle to source file. Raises EdgeError when one of ARTIFACTS was not made."""
    return place(ARTIFACTS, artifacts)


def parts() -> str:
    """sha256 of the compiled library that is filled in."""
    return _aar.fingerprint()


def package(contents: Contents, folder: Path) -> None:
    """Write the library to `folder`/android/maven, and how to use it to `folder`/android/README.md."""
    name = package_name(contents.name)
    data = _aar.aar(_assets(contents))
    sources, javadoc = (_aar.compiled(jar) for jar in ("sources.jar", "javadoc.jar"))
    for file, held in _maven.repository(name, data, sources, javadoc, contents.licence).items():
        write_atomic(folder / "android" / "maven" / file, held)
    write_atomic(folder / "android" / "README.md", _readme(contents, name, len(data)).encode())


def _chosen(contents: Contents) -> list[Artifact]:
    """The files in the library: the INT8 one first, which an app gets unless it asks for the other."""
    wanted = [precision for precision in PRECISIONS if precision == "int8" or contents.android_float]
    made = {a.precision: a for a in contents.artifacts if a.format == "tflite"}
    return [made[precision] for precision in wanted]


def _assets(contents: Contents) -> dict[str, bytes]:
    """What lies in the app, by name: everything that the manifest lists is checked against it there."""
    chosen, size = _chosen(contents), int(contents.preprocessing["size"])
    loaded = {a.precision: formats.load(a.path, Preprocessing(size)) for a in chosen}
    tolerances = {"int8": int8_tolerance(contents.exact), "float32": FLOAT_TOLERANCE}
    shown = (picture for picture in pictures() if picture.type in DECODED)
    answers = {_id(precision): (run, tolerances[precision]) for precision, run in loaded.items()}
    models = {f"models/{a.path.name}": a.path.read_bytes() for a in chosen}
    assets = {
        "policy.json": document(contents.policy),
        "golden.json": document(golden(size, answers, shown)),
        "labels.txt": "".join(f"{name}\n" for name in contents.task["classes"]).encode(),
    }
    manifest = {
        **header(contents, _aar.FORMAT),
        "models": [
            {
                "id": _id(precision),
                "precision": precision,
                "file": file,
                **_heat_map(run, size),
                **listed(models[file]),
            }
            for file, (precision, run) in zip(models, loaded.items(), strict=True)
        ],
        "files": {name: listed(data) for name, data in assets.items()},
    }
    return {**assets, **models, "manifest.json": document(manifest)}


def _id(precision: str) -> str:
    return f"litert-{precision}"


def _heat_map(loaded: Predict, size: int) -> dict[str, Any]:
    """Rows and columns of the second output, where there is one."""
    if loaded.explain is None:
        return {}
    return {"heat_map": list(loaded.heat_map(np.zeros((1, size, size, 3), np.uint8)).shape[1:])}


def _readme(contents: Contents, name: str, size: int) -> str:
    """The template with its words in capitals filled in."""
    words = {
        "NAME": contents.name,
        "GENERATOR": contents.generator,
        "COORDINATES": f"{_maven.GROUP}:{name}:{_maven.VERSION}",
        "RUNTIME": ":".join(_maven.LITERT),
        "BYTES": f"{size:,}",
        "HELD": " and ".join(PRECISIONS[a.precision] for a in _chosen(contents)),
        "LICENCE": contents.licence,
    }
    return filled(_aar.readme(), words)
