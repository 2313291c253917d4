"""A browser: an npm package with LiteRT.js and onnxruntime-web behind one interface, and the ONNX files by themselves.

Both runtimes' wasm kernels give the integers of their Python packages, and floats to the last digits: Python judges
these files. Their speed is another matter, so a browser times them where there is one; without it the order is that of
`_rank`, by what `quantize.kernels` has of each runtime.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, write_atomic
from melanoma_edge.bench.document import BrowserReport, BrowserRow
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.quantize.kernels import RUNTIMES as KNOWN
from melanoma_edge.targets import Contents, Place, _npm, _timing, place
from melanoma_edge.targets._documents import document, header, listed
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
IN_BROWSER = {"tflite": "litert-web", "onnx": "onnxruntime-web"}  # names in `quantize.kernels`
PRECISIONS = ("int8", "weight_only_wi8_afp32", "float32")  # the smallest with fast kernels first
GPU = ("tflite", "float32")  # what WebGPU runs
SMALL = ("int8", "weight_only_wi8_afp32")

stand = _timing.stand


def pack(artifacts: Sequence[Artifact]) -> Mapping[str, Path]:
    """Relative name in the bundle to source file: the ONNX files, since those of LiteRT.js are in the package.

    Raises EdgeError when one of ARTIFACTS was not made.
    """
    return {name: path for name, path in place(ARTIFACTS, artifacts).items() if path.suffix == ".onnx"}


def parts() -> str:
    """sha256 of the compiled package that is filled in."""
    return _npm.fingerprint()


def timed(where: _timing.Stand, artifacts: Sequence[Artifact], size: int, runs: int) -> BrowserReport:
    """The files of this target, timed in a browser: the fastest first. Raises EdgeError when that fails."""
    return _timing.time(where, {a.path.name: a for a in _preferred(artifacts)}, size, runs, RUNS_IN)


def untimed(artifacts: Sequence[Artifact], why: str) -> BrowserReport:
    """The same where no browser timed them: in the order of preference, without figures."""
    return BrowserReport(None, None, tuple(BrowserRow(a.path.name) for a in _preferred(artifacts)), why)


def chosen(artifacts: Sequence[Artifact], order: Sequence[str], models: str) -> list[Artifact]:
    """What the npm package holds, the default first.

    order: file names as `timed` has them. models: of `--web-models`: "all", or those that are needed: the first, the
    one for WebGPU, and each runtime's first small one, so that no app carries what another file beats in size and time.
    """
    by_name = {a.path.name: a for a in artifacts}
    every = [by_name[name] for name in order]
    if models == "all":
        return every
    small = {form: next(a for a in every if a.format == form and a.precision in SMALL) for form in RUNS_IN}
    kept = [every[0], *small.values(), *(a for a in every if (a.format, a.precision) == GPU)]
    return [a for a in every if a in kept]


def package(contents: Contents, folder: Path) -> None:
    """Write the npm package as a tarball to `folder`/web."""
    timing = contents.browser or untimed(contents.artifacts, "nothing was timed")
    rows = {row.name: row for row in timing.rows}
    shipped = chosen(contents.artifacts, list(rows), contents.web_models)
    size = int(contents.preprocessing["size"])
    loaded = {_id(a): formats.load(a.path, Preprocessing(size)) for a in shipped}
    answers = {_id(a): (loaded[_id(a)], _tolerance(contents, a)) for a in shipped}
    assets = {f"models/{a.path.name}": a.path.read_bytes() for a in shipped}
    assets["policy.json"] = document(contents.policy)
    assets["golden.json"] = document(golden(size, answers))
    manifest = {
        **header(contents, _npm.FORMAT),
        "order": {"browser": timing.browser, "why": timing.why},
        "models": [_entry(a, assets, loaded[_id(a)].explain is not None, rows[a.path.name]) for a in shipped],
        "files": {name: listed(assets[name]) for name in ("policy.json", "golden.json")},
        "runtimes": _npm.runtimes(),
    }
    file, data = _npm.tarball(contents.name, manifest, assets, contents.licence)
    (folder / "web").mkdir()
    write_atomic(folder / "web" / file, data)


def _preferred(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The files of this target: LiteRT.js before onnxruntime-web, kernels that a browser lacks last."""
    wanted = {(p.format, p.precision) for p in ARTIFACTS}
    return sorted((a for a in artifacts if (a.format, a.precision) in wanted), key=_rank)


def _rank(artifact: Artifact) -> tuple[bool, bool, int]:
    lacking = artifact.precision == "int8" and not KNOWN[IN_BROWSER[artifact.format]].fast
    return artifact.format != "tflite", lacking, PRECISIONS.index(artifact.precision)


def _tolerance(contents: Contents, artifact: Artifact) -> float:
    """How far a logit may be off in a browser."""
    if artifact.precision == "int8" and ((artifact.format, artifact.precision) == BIT_EQUAL or not contents.exact):
        return int8_tolerance(contents.exact)
    return FLOAT_TOLERANCE


def _entry(artifact: Artifact, assets: Mapping[str, bytes], heat_map: bool, timing: BrowserRow) -> dict[str, Any]:
    file = f"models/{artifact.path.name}"
    return {
        "id": _id(artifact),
        "runtime": RUNS_IN[artifact.format],
        "precision": artifact.precision,
        "file": file,
        "heatMap": heat_map,
        "milliseconds": timing.p50,
        "byFloat": timing.ratio and timing.ratio.median,
        **listed(assets[file]),
    }


def _id(artifact: Artifact) -> str:
    return f"{RUNS_IN[artifact.format]}-{artifact.precision}"
