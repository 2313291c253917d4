"""A browser: an npm package with LiteRT.js and onnxruntime-web behind one interface, and the ONNX files by themselves.

Both runtimes' wasm kernels give the integers of their Python packages, and floats to the last digits: Python judges
these files. Their speed is another matter, so a browser times them where there is one; without it the order is that of
`_rank`, by what `quantization.kernels` has of each runtime.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.formats import named
from melanoma_edge.formats.onnx import FORMAT as ONNX
from melanoma_edge.formats.tflite import FORMAT as TFLITE
from melanoma_edge.options import AUTO, choice
from melanoma_edge.progress import Progress
from melanoma_edge.targets import Contents, Place, Target
from melanoma_edge.targets._documents import document, header, listed

if TYPE_CHECKING:
    from melanoma_edge.artifact import Artifact
    from melanoma_edge.bench.document import BrowserReport, BrowserRow

FORMATS = (TFLITE.name, ONNX.name)  # LiteRT.js before onnxruntime-web
PRECISIONS = ("int8", "weight_only_wi8_afp32", "float32")  # the smallest with fast kernels first
SMALL = PRECISIONS[:2]
BIT_EQUAL = Place(TFLITE, "int8")  # in Python and the browser; others differ in the last digits
GPU = Place(TFLITE, "float32")  # what WebGPU runs


@dataclass(frozen=True)
class WebOptions:
    """What the npm package holds, and what its files are timed in."""

    web_models: str = choice(
        "needed",
        "in the npm package: the default, LiteRT.js's float file and the fastest small ONNX file, or every model",
        *("needed", "all"),
    )
    browser: str = choice(
        AUTO,
        "what the web target's files are timed in: the path of a Chromium, auto (one that is found, where npm's "
        "runtimes are there as well) or none",
    )
    node_modules: str | None = choice(
        None, "folder of npm packages with both web runtimes [default: node_modules or web/node_modules here]"
    )


def missing(options: WebOptions) -> list[str]:
    """What was asked for by its path and is not there: the browser, or the runtimes to time in it."""
    from melanoma_edge.targets import _timing

    try:
        _timing.stand(options.browser, options.node_modules)
    except InputError as error:
        return [str(error)]
    return []


def time(
    options: WebOptions, work: Path, artifacts: "Sequence[Artifact]", size: int, runs: int, progress: Progress
) -> "BrowserReport":
    """The files in a browser, one thread, the fastest first; or in the order of preference, and why.

    Raises InputError when the browser or runtimes that were asked for are not there, EdgeError when a browser that was
    asked for by its path fails.
    """
    from melanoma_edge.targets import _timing

    files = _preferred(artifacts)
    where = _timing.stand(options.browser, options.node_modules)
    if isinstance(where, str):
        return untimed(files, where)
    try:
        return _timing.run(work, where, files, size, runs, progress)
    except EdgeError as error:
        if options.browser != AUTO:
            raise
        return untimed(files, str(error))


def untimed(artifacts: "Sequence[Artifact]", why: str) -> "BrowserReport":
    """The same where no browser timed them: in the order of preference, without figures."""
    from melanoma_edge.bench.document import BrowserReport, BrowserRow

    return BrowserReport(None, None, tuple(BrowserRow(a.path.name) for a in _preferred(artifacts)), why)


def parts() -> str:
    """sha256 of the compiled package that is filled in."""
    from melanoma_edge.targets import _npm

    return _npm.fingerprint()


def chosen(artifacts: "Sequence[Artifact]", order: Sequence[str], models: str) -> "list[Artifact]":
    """What the npm package holds, the default first.

    order: file names as `time` has them. models: of `--web-models`: "all", or those that are needed: the first, the
    one for WebGPU, and each runtime's first small one, so that no app carries what another file beats in size and time.
    """
    by_name = {a.path.name: a for a in artifacts}
    every = [by_name[name] for name in order]
    if models == "all":
        return every
    small = {form: next(a for a in every if a.format == form and a.precision in SMALL) for form in FORMATS}
    kept = [every[0], *small.values(), *filter(GPU.takes, every)]
    return [a for a in every if a in kept]


def package(options: WebOptions, contents: Contents, folder: Path) -> None:
    """Write the npm package as a tarball to `folder`/web."""
    from melanoma_edge import formats
    from melanoma_edge.artifact import write_atomic
    from melanoma_edge.targets import _npm
    from melanoma_edge.targets._golden import golden

    times = contents.times or untimed(contents.artifacts, "nothing was timed")
    rows = {row.name: row for row in times.rows}
    shipped = chosen(contents.artifacts, list(rows), options.web_models)
    loaded = {_id(a): formats.load(a.path, contents.preprocessing) for a in shipped}
    answers = {_id(a): (loaded[_id(a)], _tolerance(contents, a)) for a in shipped}
    assets = {f"models/{a.path.name}": a.path.read_bytes() for a in shipped}
    assets["policy.json"] = contents.policy
    assets["golden.json"] = document(golden(contents.preprocessing.size, answers))
    manifest = {
        **header(contents, _npm.FORMAT),
        "order": {"browser": times.browser, "why": times.why},
        "models": [_entry(a, assets, loaded[_id(a)].explain is not None, rows[a.path.name]) for a in shipped],
        "files": {name: listed(assets[name]) for name in ("policy.json", "golden.json")},
        "runtimes": _npm.runtimes(),
    }
    file, data = _npm.tarball(contents.name, manifest, assets, contents.licence)
    (folder / "web").mkdir()
    write_atomic(folder / "web" / file, data)


def _preferred(artifacts: "Sequence[Artifact]") -> "list[Artifact]":
    """The files of this target: LiteRT.js before onnxruntime-web, kernels that a browser lacks last."""
    return sorted((a for a in artifacts if any(place.takes(a) for place in TARGET.places)), key=_rank)


def _rank(artifact: "Artifact") -> tuple[int, bool, int]:
    from melanoma_edge.quantization.kernels import RUNTIMES

    runtime = named(artifact.format).in_browser
    lacking = artifact.precision == "int8" and not (runtime and RUNTIMES[runtime].fast)
    return FORMATS.index(artifact.format), lacking, PRECISIONS.index(artifact.precision)


def _tolerance(contents: Contents, artifact: "Artifact") -> float:
    """How far a logit may be off in a browser."""
    from melanoma_edge.targets._golden import FLOAT_TOLERANCE, int8_tolerance

    if artifact.precision == "int8" and (BIT_EQUAL.takes(artifact) or not contents.exact):
        return int8_tolerance(contents.exact)
    return FLOAT_TOLERANCE


def _entry(artifact: "Artifact", assets: Mapping[str, bytes], heat_map: bool, timing: "BrowserRow") -> dict[str, Any]:
    file = f"models/{artifact.path.name}"
    return {
        "id": _id(artifact),
        "runtime": named(artifact.format).runtime,
        "precision": artifact.precision,
        "file": file,
        "heatMap": heat_map,
        "milliseconds": timing.p50,
        "byFloat": timing.ratio and timing.ratio.median,
        **listed(assets[file]),
    }


def _id(artifact: "Artifact") -> str:
    return f"{named(artifact.format).runtime}-{artifact.precision}"


TARGET = Target(
    name="web",
    places=(
        Place(ONNX, "float32"),
        Place(ONNX, "int8"),
        Place(ONNX, "weight_only_wi8_afp32"),
        Place(TFLITE, "float32", alone=False),
        Place(TFLITE, "int8", alone=False),
    ),
    options=WebOptions(),
    missing=missing,
    time=time,
    package=package,
    parts=parts,
)
