"""What can be done with a bundle that was shipped: use it on images, prove it again, time it again."""

import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from melanoma_edge import formats
from melanoma_edge.artifact import CHECKPOINT, MANIFEST, Artifact, exclusive, json_text, sha256_file, write_atomic
from melanoma_edge.bench.cuda import bench_cuda
from melanoma_edge.bench.document import BenchReport, CudaReport
from melanoma_edge.bench.explain import Explanation
from melanoma_edge.bench.explain import explain as explain_file
from melanoma_edge.bench.run import bench as time_files
from melanoma_edge.data.images import is_image_name, screen
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing, load_pixels
from melanoma_edge.document import by_name
from melanoma_edge.errors import Caution, InputError
from melanoma_edge.options import DataOptions, EmulationOptions, Gates, ProofOptions
from melanoma_edge.progress import Progress, silent
from melanoma_edge.report.bundle import GRAPH, INT8_GRAPH, WORK, amend, verify_bundle
from melanoma_edge.report.compare import render_comparison
from melanoma_edge.report.document import REPORT, read_report, with_arm64
from melanoma_edge.report.html import render_comparison_page, render_html, with_pictures
from melanoma_edge.report.markdown import render_markdown
from melanoma_edge.runtime.arm64 import emulation
from melanoma_edge.selection.report import QuantizationFacts
from melanoma_edge.stages import arm64, proof
from melanoma_edge.stages import data as data_stage
from melanoma_edge.stages import predict as predict_stage
from melanoma_edge.verify import operating_point
from melanoma_edge.verify.arm64 import Arm64Report, tolerance
from melanoma_edge.verify.document import PredictionFacts, VerifyReport, with_facts
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.overlay import overlay, png
from melanoma_edge.verify.policy import POLICY, answer, entry, faults, read_policy
from melanoma_edge.verify.predictions import read_csv, softmax
from melanoma_edge.verify.rejection import Rejection


@dataclass(frozen=True, kw_only=True)
class ImageAnswer:
    """One image: the fields of `policy.Answer`, its probability of melanoma, and `capture`, the codes of what is wrong
    with the picture. Of an unusable one only `error`. heat_map: the PNG that was drawn.
    """

    image: str
    error: str | None = None
    probability: float | None = None
    decision: str | None = None
    tier: str | None = None
    uncertain: bool | None = None
    entropy: float | None = None
    title: str | None = None
    advice: str | None = None
    capture: tuple[str, ...] | None = None
    heat_map: str | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class Answered:
    """What one file of a bundle and its policy say. capture_advice: the text of each code in `capture`."""

    artifact: str
    runtime: str
    threshold: float
    rejection_threshold: float
    capture_advice: Mapping[str, str]
    predictions: tuple[ImageAnswer, ...]

    __getitem__ = by_name


def predict(
    bundle: Path, images: Sequence[Path], artifact: str | None = None, heat_maps: Path | None = None
) -> Answered:
    """Probability of melanoma and what the bundle's policy says to it, for every image; a folder stands for its images.

    artifact: name of a file in the bundle; by default its INT8 one. heat_maps: a folder for one PNG an image: the image
    as the file sees it, with what speaks for melanoma in orange and against it in blue. Raises InputError when the
    bundle was altered, a path does not exist, a folder holds no image, or the file gives no maps.
    """
    manifest = verify_bundle(bundle)
    row = _pick(manifest["artifacts"], artifact)
    size = int(manifest["preprocessing"]["size"])
    policy = read_policy(bundle)
    own = entry(policy, row["name"])
    model = formats.load(bundle / row["file"], Preprocessing(size))
    melanoma = int(manifest["task"]["melanoma"])
    if heat_maps is not None and model.explain is None:
        raise InputError(f"{row['name']} gives no heat maps: build {bundle} again with --heat-map")
    rows: list[ImageAnswer] = []
    for path in _expand(images):
        refused = screen(path)
        if refused is not None:
            rows.append(ImageAnswer(image=str(path), error=refused))
            continue
        pixels = load_pixels(path, size)
        p = float(softmax(model(pixels[np.newaxis]))[0, melanoma])
        if not math.isfinite(p):
            rows.append(ImageAnswer(image=str(path), error=f"{row['name']} computes no number for it"))
            continue
        drawn = None
        if heat_maps is not None:
            drawn = heat_maps / f"{len(rows) + 1:04d}_{path.stem}.png"  # the same name may come from two folders
            write_atomic(drawn, png(overlay(pixels, model.heat_map(pixels[np.newaxis])[0])))
        told = ImageAnswer(
            image=str(path),
            probability=p,
            **vars(answer(policy, row["name"], p)),
            capture=tuple(faults(policy, pixels)),
            heat_map=None if drawn is None else str(drawn),
        )
        rows.append(told)
    texts = policy.capture.advice if policy.capture else {}
    return Answered(row["name"], model.runtime, own.threshold, own.rejection_threshold, texts, tuple(rows))


def verify(
    path: Path,
    reference: Path | None,
    data: str | None,
    rule: str | None,
    gates: Gates,
    emulating: EmulationOptions,
    progress: Progress = silent,
) -> VerifyReport:
    """Run a bundle's files, or one model file, on the evaluation images and judge them against the stored reference.

    reference: the bundle that holds the reference predictions; `path` itself when that is a bundle. data: where the
    images are now, else where the build found them. rule: operating point, else the one the bundle was built with, at
    which it is checked that policy.json ships what is judged.
    The result's `reference` also says where and by which versions its stored predictions were made: the reference
    itself is not run again, and torch is not needed. emulating: with an architecture the result also has `arm64`, of
    `stages.arm64`, whose gates are among the others, and a bundle's own report takes them in.
    Raises InputError when a file was altered, the images are not the reference's, ARM64 cannot be emulated, policy.json
    has other thresholds, or `max_graph_dp` is stated and a graph is not at hand.
    """
    if emulating.arch is not None:
        emulation()  # refuses at once what would come out after the other files
    home = reference or path
    if not (home / MANIFEST).is_file() and path.is_file():
        raise InputError(f"{path} is one file: name the bundle that holds its reference with --reference")
    manifest = verify_bundle(home)
    point = rule or manifest["operating_point"]["rule"]
    operating_point.parse(point)
    known = _artifacts(home, manifest)
    artifacts = known if path == home else [_single(path, known)]
    graphs = _graphs(home, manifest, artifacts, gates)
    exact = not _quantization(home).inexact_nodes
    truth, proving = read_csv(home / "reference" / "predictions.csv"), _chosen(home, point)
    if rule is None and path == home:
        _check_policy(home, *proof.policy(truth, proving))
    told = manifest["data"]
    options = DataOptions(**{name: told[name] for name in vars(DataOptions())})
    size = int(manifest["preprocessing"]["size"])
    with tempfile.TemporaryDirectory() as scratch:
        chosen = options if data is None else replace(options, data=data)
        images = data_stage.prepare(Path(scratch), chosen, size=size, train=False, progress=progress)
        answers = [
            proof.judged(
                a,
                predict_stage.run(Path(scratch), a.path.name, a.path, a.sha256, images, Preprocessing(size), progress),
                graphs.get(a.sha256),
                exact,
                images,
            )
            for a in artifacts
        ]
        verdict = proof.verdict(truth, answers, images, proving, gates, progress)
        if emulating.arch is not None:
            asked = (verdict.operating_point.threshold, emulating.arch_images)
            ran = [_ran(a, judged) for a, judged in zip(artifacts, answers, strict=True)]
            found, judged_there = _emulate(home, Path(scratch), ran, images, asked, progress)
            if path == home and os.access(home, os.W_OK):
                _take_in(home, found, judged_there)
            verdict = replace(verdict, arm64=found, gates=(*verdict.gates, *judged_there))
        verdict = replace(verdict, warnings=(*verdict.warnings, *_unjudged(artifacts, graphs)))
        return with_facts(verdict, msgspec.convert(manifest["reference"], PredictionFacts))


def bench(
    paths: Sequence[Path], runs: int, threads: Sequence[int], device: str = "cpu", progress: Progress = silent
) -> BenchReport | CudaReport:
    """Latency of model files, and of the reference and artifacts of bundles, interleaved.

    device: "cpu" for `bench.run.bench`, "cuda" for `bench.cuda.bench_cuda`, which leaves INT8 files out.
    """
    files: dict[str, Path] = {}
    for path in paths:
        files |= _timed(path) if path.is_dir() else {path.name: _model_file(path)}
    if device == "cuda":
        return bench_cuda(files, runs=runs, progress=progress)
    return time_files(files, threads=threads, runs=runs, progress=progress)


def explain(paths: Sequence[Path], runs: int, progress: Progress = silent) -> list[Explanation]:
    """The operators of model files, and of a bundle's artifacts. See `bench.explain.explain`."""
    files: list[tuple[Path, Mapping[str, float]]] = []
    for path in paths:
        if not path.is_dir():
            files.append((_model_file(path), {}))
            continue
        manifest = verify_bundle(path)
        noise = _quantization(path).signal_to_noise
        for artifact in _artifacts(path, manifest):
            files.append((artifact.path, noise if artifact.precision == "int8" else {}))
    return [explain_file(path, noise, runs=runs, progress=progress) for path, noise in files]


def report(folders: Sequence[Path], form: str) -> str:
    """The report of one build, or several side by side, as "markdown", "html" or "json"; no picture of an image.

    Raises InputError for a folder without a report.
    """
    found = [read_report(folder) for folder in folders]
    if form == "json":
        return json_text(found[0] if len(found) == 1 else found)
    if len(found) == 1:
        return render_markdown(found[0]) if form == "markdown" else render_html(found[0], {})
    return render_comparison(found) if form == "markdown" else render_comparison_page(found)


def _emulate(
    home: Path,
    scratch: Path,
    files: Sequence[arm64.Ran],
    images: Images,
    asked: tuple[float, int],
    progress: Progress,
) -> tuple[Arm64Report, list[Gate]]:
    """What `stages.arm64` finds; its answers are kept in the bundle's work folder where that can be written."""
    work = home / WORK if os.access(home, os.W_OK) else scratch
    with exclusive(work):
        return arm64.run(work, files, images, *asked, progress)


def _take_in(bundle: Path, found: Arm64Report, judged: Sequence[Gate]) -> None:
    """Put what `stages.arm64` found into the bundle's reports. No file goes: a failed gate is said, and seen."""
    told = with_arm64(read_report(bundle), found, judged)
    page = with_pictures(render_html(told, {}), (bundle / "report.html").read_text())
    amend(bundle, {REPORT: json_text(told), "report.html": page}, {"gates": told.gates})


def _quantization(bundle: Path) -> QuantizationFacts:
    """How a bundle's INT8 graph was made. Raises InputError when its report does not say."""
    found = read_report(bundle).build.quantization
    if found is None:
        raise InputError(f"{bundle / REPORT} does not say how the INT8 graph was made: build again")
    return found


def _ran(artifact: Artifact, judged: proof.Judged) -> arm64.Ran:
    runtime, version = judged.facts.runtime, judged.facts.version or ""
    return arm64.Ran(artifact, judged.predictions, runtime, version, tolerance(judged.precision, judged.exact))


def _graphs(bundle: Path, manifest: Mapping[str, Any], judged: Sequence[Artifact], gates: Gates) -> dict[str, Path]:
    """By sha256 of a file to judge, the ONNX graph that it was written from, where the bundle holds it.

    Raises InputError when one is missing and the user stated a limit for it.
    """
    by_precision = {"float32": bundle / GRAPH}
    if INT8_GRAPH in manifest["files"]:
        by_precision["int8"] = bundle / INT8_GRAPH
    known = _artifacts(bundle, manifest)
    by_precision |= {a.precision: a.path for a in known if formats.named(a.format).is_graph}
    found = {a.sha256: by_precision[a.precision] for a in known if a.precision in by_precision}
    lacking = [a.path.name for a in judged if not formats.named(a.format).is_graph and a.sha256 not in found]
    if lacking and gates.max_graph_dp is not None:
        raise InputError(
            f"--max-graph-dp: {bundle} does not hold the graph that {', '.join(lacking)} was written from; leave the "
            "option out, or build again and name a bundle"
        )
    return found


def _unjudged(artifacts: Sequence[Artifact], graphs: Mapping[str, Path]) -> list[Caution]:
    """A warning for each file that no graph is at hand for."""
    return [
        Caution(
            "graph_missing",
            f"{a.path.name} was not held against the graph that it was written from, which is not at hand: "
            "build again for a bundle that holds it",
        )
        for a in artifacts
        if not formats.named(a.format).is_graph and a.sha256 not in graphs
    ]


def _check_policy(bundle: Path, point: OperatingPoint, refused: Rejection) -> None:
    """Raise InputError when policy.json ships other thresholds than those that are judged."""
    judged = {"threshold": point.threshold, "rejection_threshold": refused.threshold}
    for row in read_policy(bundle).artifacts:
        for name, value in judged.items():
            if row[name] != value:
                raise InputError(
                    f"{bundle / POLICY} ships {row.name} with a {name} of {row[name]:.6g}, the reference has "
                    f"{value:.6g}, which the gates judge: build again, or judge another point with --operating-point"
                )


def _chosen(bundle: Path, point: str) -> ProofOptions:
    """The margin and least share of answers that a build chose; the defaults where it does not say."""
    told, default = read_report(bundle).build.options.get("proof", {}), ProofOptions(operating_point=point)
    margin, kept = (msgspec.convert(told.get(name, getattr(default, name)), float) for name in ("margin", "min_kept"))
    accepted = told.get("accept_suspicious_reference", False) is True
    return replace(default, margin=margin, min_kept=kept, accept_suspicious_reference=accepted)


def _timed(bundle: Path) -> dict[str, Path]:
    """The reference (torch's, where there is one) and the artifacts of a bundle, by a name for the table."""
    manifest = verify_bundle(bundle)
    checkpoint = bundle / "reference" / CHECKPOINT
    own = checkpoint if checkpoint.is_file() else bundle / GRAPH
    return {f"{manifest['name']} reference": own, **{a.path.name: a.path for a in _artifacts(bundle, manifest)}}


def _model_file(path: Path) -> Path:
    """`path`, when it is a file of a known format. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: name a bundle, or a model file")
    formats.of(path)
    return path


def _artifacts(bundle: Path, manifest: Mapping[str, Any]) -> list[Artifact]:
    return [
        Artifact(bundle / row["file"], manifest["files"][row["file"]]["sha256"], row["format"], row["precision"])
        for row in manifest["artifacts"]
    ]


def _single(path: Path, known: Sequence[Artifact]) -> Artifact:
    """A model file from anywhere; unless it is one of `known`, its precision is not, so it is held to every gate."""
    named = {form.suffix: form.name for form in formats.written()}
    if path.suffix not in named or not path.is_file():
        raise InputError(f"{path}: name a bundle, or a file ending in {' or '.join(named)}")
    sha256 = sha256_file(path)
    precision = next((a.precision for a in known if a.sha256 == sha256), "int8")
    return Artifact(path, sha256, named[path.suffix], precision)


def _pick(artifacts: Sequence[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    """The row of the artifact called `wanted`, or of the first INT8 one."""
    for row in artifacts:
        if row["name"] == wanted or (wanted is None and row["precision"] == "int8"):
            return row
    known = ", ".join(row["name"] for row in artifacts)
    raise InputError(f"the bundle has no artifact {wanted or 'of precision int8'}: it has {known}")


def _expand(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; folders as the images in them, sorted."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: name an image, or a folder of images")
        inside = sorted(p for p in path.iterdir() if is_image_name(p)) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path} holds no image")
        found += inside
    return found
