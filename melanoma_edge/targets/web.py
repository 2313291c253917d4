"""A browser: an npm package with LiteRT.js and onnxruntime-web behind one interface, and the ONNX files by themselves.

Both runtimes' wasm kernels give the integers of their Python packages, and floats to the last digits: Python's judge
and time these files.
onnxruntime-web has no fast INT8: the file with weights in 8 bits is as small as the INT8 one and runs as fast as float
there. LiteRT.js has, and comes first.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from melanoma_edge import runtime
from melanoma_edge.artifact import Artifact, write_atomic
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.quantize.kernels import RUNTIMES as KNOWN
from melanoma_edge.targets import Contents, Place, _npm, place
from melanoma_edge.targets._documents import document, listed
from melanoma_edge.targets._golden import FLOAT_TOLERANCE, golden, int8_tolerance

ARTIFACTS = (
    Place("onnx", "float32", "web"),
    Place("onnx", "int8", "web"),
    Place("onnx", "weight_only_wi8_afp32", "web"),
    Place("tflite", "float32", "web"),
    Place("tflite", "int8", "web"),
)
RUNTIMES = ("onnxruntime", "litert")
RUNS_IN = {"tflite": "litert", "onnx": "onnxruntime"}
BIT_EQUAL = ("tflite", "int8")  # of format and precision, in Python and the browser; others differ in the last digits
IN_BROWSER = {"tflite": "litert", "onnx": "onnxruntime-web"}  # names in `quantize.kernels`


def pack(artifacts: Sequence[Artifact]) -> Mapping[str, Path]:
    """Relative name in the bundle to source file: the ONNX files, since those of LiteRT.js are in the package.

    Raises EdgeError when one of ARTIFACTS was not made.
    """
    return {name: path for name, path in place(ARTIFACTS, artifacts).items() if path.suffix == ".onnx"}


def parts() -> str:
    """sha256 of the compiled package that is filled in."""
    return _npm.fingerprint()


def package(contents: Contents, folder: Path) -> None:
    """Write the npm package as a tarball to `folder`/web."""
    wanted = {(p.format, p.precision) for p in ARTIFACTS}
    chosen = sorted(
        (a for a in contents.artifacts if (a.format, a.precision) in wanted), key=partial(_slowness, contents)
    )
    size = int(contents.preprocessing["size"])
    loaded = {_id(a): runtime.load(a.path, Preprocessing(size)) for a in chosen}
    answers = {_id(a): (loaded[_id(a)], _tolerance(contents, a)) for a in chosen}
    assets = {f"models/{a.path.name}": a.path.read_bytes() for a in chosen}
    assets["policy.json"] = document(contents.policy)
    assets["golden.json"] = document(golden(size, answers))
    manifest = {
        "format": _npm.FORMAT,
        "name": contents.name,
        "generator": contents.generator,
        "preprocessing": {key: contents.preprocessing[key] for key in ("size", "mean", "std")},
        "classes": list(contents.task["classes"]),
        "melanoma": contents.task["melanoma"],
        "models": [_entry(a, assets, loaded[_id(a)].explain is not None) for a in chosen],
        "files": {name: listed(assets[name]) for name in ("policy.json", "golden.json")},
        "runtimes": _npm.runtimes(),
    }
    file, data = _npm.tarball(contents.name, manifest, assets, contents.licence)
    (folder / "web").mkdir()
    write_atomic(folder / "web" / file, data)


def _slowness(contents: Contents, artifact: Artifact) -> tuple[bool, bool, float]:
    """LiteRT.js before onnxruntime-web, kernels that a browser lacks last, then the latency on this machine."""
    lacking = artifact.precision == "int8" and not KNOWN[IN_BROWSER[artifact.format]].fast
    return artifact.format != "tflite", lacking, contents.latency_ms.get(artifact.path.name, float("inf"))


def _tolerance(contents: Contents, artifact: Artifact) -> float:
    """How far a logit may be off in a browser."""
    if artifact.precision == "int8" and ((artifact.format, artifact.precision) == BIT_EQUAL or not contents.exact):
        return int8_tolerance(contents.exact)
    return FLOAT_TOLERANCE


def _entry(artifact: Artifact, assets: Mapping[str, bytes], heat_map: bool) -> dict[str, Any]:
    file = f"models/{artifact.path.name}"
    return {
        "id": _id(artifact),
        "runtime": RUNS_IN[artifact.format],
        "precision": artifact.precision,
        "file": file,
        "heatMap": heat_map,
        **listed(assets[file]),
    }


def _id(artifact: Artifact) -> str:
    return f"{RUNS_IN[artifact.format]}-{artifact.precision}"
