"""The flow: data, train, export, quantise once, emit, predict, prove, time, bundle, report."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from melanoma_edge import models, registry
from melanoma_edge.artifact import CHECKPOINT, Artifact, Stage, exclusive, sha256_file
from melanoma_edge.bench.browser import find as find_browser
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.export.check import check_contract
from melanoma_edge.options import CompileOptions, DataOptions, NetworkOptions, TrainOptions, spell
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantize import quantizers
from melanoma_edge.quantize.weight_only import NAME as WEIGHT_ONLY
from melanoma_edge.report.bundle import WORK, check_output
from melanoma_edge.report.policy import read_advice
from melanoma_edge.stages import (
    browser,
    capture,
    emit,
    export,
    heat_maps,
    predict,
    proof,
    quantize,
    robust,
    ship,
    temperature,
    weight_only,
)
from melanoma_edge.stages import data as data_stage
from melanoma_edge.tflite.metadata import About
from melanoma_edge.verify import operating_point

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Outcome:
    """Where a build left its bundle, or only its report when a gate failed."""

    folder: Path
    report: dict[str, Any]

    @property
    def shipped(self) -> bool:
        """Whether every gate passed."""
        return bool(self.report["verdict"]["ships"])


@dataclass(frozen=True)
class Reference:
    """The full-precision network: the file whose predictions everything is compared with, and its own normalisation."""

    model: Path
    spec: Preprocessing
    command: str  # that makes the build again
    trained: Stage | None = None  # None for a network from elsewhere


def default_name(data: DataOptions, network: NetworkOptions) -> str:
    """The bundle's folder below artifacts/ when the user names none: `ham10000_mobilenet_v2`."""
    sources = "_".join(part.split(":", 1)[0].strip() for part in data.data.split("+"))
    return f"{sources}_{network.arch}" + ("" if data.task == "binary" else f"_{data.task}")


def build(
    output: Path,
    targets: Sequence[str],
    data: DataOptions,
    network: NetworkOptions,
    training: TrainOptions,
    compiling: CompileOptions,
    progress: Progress = silent,
) -> Outcome:
    """From labelled images to a bundle. Raises EdgeError and its children; a failed gate is in the outcome's report."""
    _check_choices(targets, compiling)
    if compiling.files.heat_map:
        models.require_linear_head(network.arch, network.head)
    with _workspace(output) as work:
        images, trained = _train(work, data, network, training, progress)
        checkpoint = trained.folder / CHECKPOINT
        exported = export.export(work, checkpoint)
        command = spell("build", {"target": tuple(targets)}, data, network, training, *vars(compiling).values())
        reference = Reference(checkpoint, Preprocessing(images.size), command, trained)
        return _prove(output, targets, images, exported, reference, compiling, progress)


def train(
    output: Path, data: DataOptions, network: NetworkOptions, training: TrainOptions, progress: Progress = silent
) -> Stage:
    """The first half of `build`: leaves the trained checkpoint in the work folder, where `build` finds it."""
    with _workspace(output) as work:
        return _train(work, data, network, training, progress)[1]


def compile_network(
    output: Path,
    targets: Sequence[str],
    given: Path,
    normalization: tuple[Triple, Triple],
    data: DataOptions,
    compiling: CompileOptions,
    progress: Progress = silent,
) -> Outcome:
    """From a trained network, our .safetensors or anyone's .onnx, to a bundle.

    normalization: mean and std, in pixel units, of an .onnx network's own input; it is the reference as it stands.
    """
    _check_choices(targets, compiling)
    onnx = given.suffix != ".safetensors"
    size = check_contract(given).size if onnx else _side(given)
    spec = Preprocessing(size, *normalization) if onnx else Preprocessing(size)
    with _workspace(output) as work:
        images = data_stage.prepare(work, data, size=size, train=False, progress=progress)
        exported = export.adopt(work, given, spec) if onnx else export.export(work, given)
        flags = {"onnx": given, "mean": _spelt(spec.mean), "std": _spelt(spec.std)} if onnx else {"checkpoint": given}
        command = spell("compile", {**flags, "target": tuple(targets)}, data, *vars(compiling).values())
        reference = Reference(export.reference(exported, given) if onnx else given, spec, command)
        return _prove(output, targets, images, exported, reference, compiling, progress)


def _side(checkpoint: Path) -> int:
    """Of the input of a network of ours, in pixels."""
    from melanoma_edge.train.weights import load_model

    return load_model(checkpoint)[1].spec.image_size


def _train(
    work: Path, data: DataOptions, network: NetworkOptions, training: TrainOptions, progress: Progress
) -> tuple[Images, Stage]:
    from melanoma_edge.stages import train as train_stage

    # The number of classes is the task's affair: what is refused here is refused before the images are decoded.
    asked = models.spec(network.arch, 2, image_size=network.image_size, dropout=network.dropout, head=network.head)
    size = asked.image_size
    images = data_stage.prepare(work, data, size=size, train=True, progress=progress)
    return images, train_stage.run(work, images, network, training, data.seed, progress)


def _prove(
    output: Path,
    targets: Sequence[str],
    images: Images,
    exported: Stage,
    reference: Reference,
    compiling: CompileOptions,
    progress: Progress,
) -> Outcome:
    """Calibrate, quantise, emit, run, judge, time; then ship the bundle, or withhold it and leave the report."""
    work, name = output / WORK, output.resolve().name
    if compiling.files.heat_map:
        heat_maps.check(emit.Graph(exported, export.MODEL))
    own = (reference.model, sha256_file(reference.model))
    answered = predict.run(work, "reference", *own, images, reference.spec, progress)
    truth = temperature.run(work, exported, answered, compiling.proof.temperature)  # predictions and graph, calibrated
    quantized = quantize.run(work, truth, images, truth, compiling, progress)
    graphs = _graphs(work, targets, truth, quantized, images, progress)
    asked = compiling.quantizing.quantizer
    recipe = "int8" if asked == quantizers.AUTO else asked
    about, heat_map = _about(images), compiling.files.heat_map
    artifacts = emit.artifacts(work, name, graphs, _wanted(targets), recipe, about, heat_map)
    answers = _answers(work, artifacts, graphs, quantize.is_exact(quantized), images, progress)
    reference_answers = predict.predictions(truth)
    verdict = proof.verdict(reference_answers, answers, images, compiling.proof, compiling.gates, progress)
    threshold = verdict["operating_point"]["threshold"]
    if compiling.proof.robustness_images:
        moving = robust.run(work, graphs["float32"], artifacts, images, compiling.proof.robustness_images, progress)
        verdict["robustness"] = robust.document(moving, threshold)
    maps = heat_maps.HeatMaps()
    if compiling.files.heat_map:
        told = ([a.predictions for a in answers], reference_answers, threshold)
        maps = heat_maps.compare(graphs["float32"], artifacts, *told, images, progress)
    floats = (reference.model, truth.folder / export.MODEL)
    timed = proof.time_all(work, artifacts, *floats, compiling.proof.bench_runs, progress)
    in_browser = browser.run(work, targets, artifacts, images.size, compiling.proof, progress)
    limits = capture.run(work, images, progress)
    started = (name, reference.command, tuple(targets), images, reference.trained)
    made = ship.Made(*started, exported, quantized, artifacts, truth, limits)
    report = ship.report(made, {**verdict, "heat_maps": maps.document}, replace(timed, browser=in_browser), compiling)
    ship.finish(output, made, report, maps.pictures)
    return Outcome(output, report)


def _graphs(
    work: Path, targets: Sequence[str], truth: Stage, quantized: Stage, images: Images, progress: Progress
) -> dict[str, emit.Graph]:
    """The graph that the files of each precision are written from."""
    graphs = {"float32": emit.Graph(truth, export.MODEL), "int8": emit.Graph(quantized, export.MODEL)}
    if WEIGHT_ONLY in {precision for _, precision in _wanted(targets)}:
        graphs[WEIGHT_ONLY] = emit.Graph(weight_only.run(work, truth, images, progress), export.MODEL)
    return graphs


def _about(images: Images) -> About:
    """What the .tflite files tell of themselves."""
    spec, task = Preprocessing(images.size), images.task
    return About(spec.mean, spec.std, task.classes, task.melanoma, images.summary.licence)


def _answers(
    work: Path,
    artifacts: Sequence[Artifact],
    graphs: Mapping[str, emit.Graph],
    exact: bool,
    images: Images,
    progress: Progress,
) -> list[proof.Judged]:
    """What every file predicts, in order. exact: whether every runtime computes the same bits of the INT8 graph."""
    shipped = Preprocessing(images.size)

    def answer(a: Artifact) -> proof.Judged:
        answered = predict.run(work, a.path.name, a.path, a.sha256, images, shipped, progress)
        return proof.judged(a, answered, graphs[a.precision].path, exact, images)

    with ThreadPoolExecutor(usable_cores()) as pool:  # each file on one thread, as it is timed
        return list(pool.map(answer, artifacts))


def _spelt(triple: Triple) -> str:
    return ",".join(f"{value:g}" for value in triple)


def _check_choices(targets: Sequence[str], compiling: CompileOptions) -> None:
    """Refuse at once what would otherwise come out after the training."""
    _wanted(targets)
    if compiling.files.android_float and "android" not in targets:
        raise InputError(f"--android-float is for --target android: found {', '.join(targets)}")
    quantizers.order(compiling.quantizing.quantizer)
    operating_point.parse(compiling.proof.operating_point)
    read_advice(compiling.proof.advice)
    find_browser(compiling.proof.browser)


def _wanted(targets: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Format and precision of every file that the targets ship. Raises InputError, listing the known, for others."""
    places = [place for t in targets for place in registry.load("melanoma_edge.targets", t).ARTIFACTS]
    return tuple(dict.fromkeys((place.format, place.precision) for place in places))


@contextlib.contextmanager
def _workspace(output: Path) -> Iterator[Path]:
    """The work folder of a bundle, held for this process; nothing stays when the first step already refuses."""
    check_output(output)
    fresh = not output.exists()
    work = output / WORK
    try:
        with exclusive(work):
            yield work
    finally:
        if fresh and not any(p.name != ".lock" for p in work.iterdir()):
            shutil.rmtree(output)
