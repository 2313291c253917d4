"""The flow: data, train, export, quantise once, emit, predict, prove, time, bundle, report."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from melanoma_edge import models, preflight
from melanoma_edge.artifact import CHECKPOINT, Artifact, Stage, exclusive, sha256_file
from melanoma_edge.bench.document import BrowserReport
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Normalization, Preprocessing
from melanoma_edge.made import Made
from melanoma_edge.options import CompileOptions, DataOptions, NetworkOptions, QuantizeOptions, TrainOptions, spell
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.weight_only import NAME as WEIGHT_ONLY
from melanoma_edge.report.advice import read_advice
from melanoma_edge.report.bundle import WORK, check_output
from melanoma_edge.stages import (
    capture,
    cautions,
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
from melanoma_edge.targets import Target, choose, missing, wanted_files
from melanoma_edge.tflite.metadata import About
from melanoma_edge.verify import operating_point


@dataclass(frozen=True)
class Source:
    """The full-precision network: the file whose predictions everything is compared with, and its float graph.

    spec: its own normalisation. command: what makes the build again, with these options. trained: None for a network
    from elsewhere.
    """

    model: Path
    spec: Preprocessing
    graph: Stage
    command: Callable[[CompileOptions], str]
    trained: Stage | None = None


def default_name(data: DataOptions, network: NetworkOptions) -> str:
    """The bundle's folder below artifacts/ when the user names none: `ham10000_mobilenet_v2`."""
    sources = "_".join(part.split(":", 1)[0].strip() for part in data.data.split("+"))
    return f"{sources}_{network.arch}" + ("" if data.task == "binary" else f"_{data.task}")


def build(
    output: Path,
    targets: Sequence[str | Target[Any]],
    data: DataOptions,
    network: NetworkOptions,
    training: TrainOptions,
    compiling: CompileOptions,
    progress: Progress = silent,
) -> Made:
    """From labelled images to a bundle. Raises EdgeError and its children; a failed gate is in the outcome's report.

    targets: by name, or with options of their own.
    """
    chosen, problems = _checked(targets, compiling)
    with _workspace(output) as work:
        preflight.train(work, data, network, problems, heat_map=compiling.files.heat_map)
        images, trained = _train(work, data, network, training, progress)
        checkpoint = trained.folder / CHECKPOINT
        source = Source(
            model=checkpoint,
            spec=Preprocessing(images.size),
            graph=export.export(work, checkpoint),
            command=lambda options: spell("build", _names(chosen), data, network, training, *_options(options, chosen)),
            trained=trained,
        )
        return _compile(output, chosen, images, source, compiling, progress)


def train(
    output: Path, data: DataOptions, network: NetworkOptions, training: TrainOptions, progress: Progress = silent
) -> Stage:
    """The first half of `build`: leaves the trained checkpoint in the work folder, where `build` finds it."""
    with _workspace(output) as work:
        return _train(work, data, network, training, progress)[1]


def compile_network(
    output: Path,
    targets: Sequence[str | Target[Any]],
    given: Path,
    normalization: Normalization,
    data: DataOptions,
    compiling: CompileOptions,
    progress: Progress = silent,
    *,
    classes: str | None = None,
) -> Made:
    """From a trained network, our .safetensors or anyone's .onnx, to a bundle.

    normalization: of an .onnx network's own input, which is the reference as it stands, but
    for a Softmax at its end. classes: the names of its logits in their order, joined by commas; None for the task's.
    """
    chosen, problems = _checked(targets, compiling)
    brought = preflight.Brought(given, normalization, classes)
    with _workspace(output) as work:
        graph, spec = preflight.compile_given(work, data, brought, problems, heat_map=compiling.files.heat_map)
        images = data_stage.prepare(work, data, size=spec.size, train=False, progress=progress)
        source = Source(
            model=export.reference(graph, given) if brought.is_onnx else given,
            spec=spec,
            graph=graph,
            command=lambda options: spell(
                "compile", {**_flags(brought), **_names(chosen)}, data, *_options(options, chosen)
            ),
        )
        return _compile(output, chosen, images, source, compiling, progress)


def _train(
    work: Path, data: DataOptions, network: NetworkOptions, training: TrainOptions, progress: Progress
) -> tuple[Images, Stage]:
    from melanoma_edge.stages import train as train_stage

    # The number of classes is the task's affair: what is refused here is refused before the images are decoded.
    asked = models.spec(network.arch, 2, image_size=network.image_size, dropout=network.dropout, head=network.head)
    images = data_stage.prepare(work, data, size=asked.image_size, train=True, progress=progress)
    return images, train_stage.run(work, images, network, training, data.seed, progress)


def _compile(
    output: Path,
    targets: Sequence[Target[Any]],
    images: Images,
    source: Source,
    compiling: CompileOptions,
    progress: Progress,
) -> Made:
    """Calibrate, quantise, emit, run, judge, time; then ship the bundle, or withhold it and leave the report."""
    work, name, asked, heat_map = output / WORK, output.resolve().name, compiling.proof, compiling.files.heat_map
    uncalibrated = predict.run(
        work, "reference", source.model, sha256_file(source.model), images, source.spec, progress
    )
    reference = temperature.run(work, source.graph, uncalibrated, asked.temperature)  # predictions and float graph
    quantized = quantize.run(work, reference, images, reference, compiling, progress)
    graphs = _graphs(work, targets, reference, quantized, images, progress)
    int8 = "int8" if compiling.quantizing.quantizer == quantizers.AUTO else compiling.quantizing.quantizer
    artifacts = emit.artifacts(work, name, graphs, wanted_files(targets), int8, _about(images), heat_map)
    answers = _answers(work, artifacts, graphs, quantize.is_exact(quantized), images, progress)
    truth = predict.predictions(reference)
    verdict = proof.verdict(truth, answers, images, asked, compiling.gates, progress)
    warnings = cautions.found(source.graph, source.spec, uncalibrated, images, asked)
    verdict = replace(verdict, warnings=warnings)
    threshold = verdict.operating_point.threshold
    if asked.robustness_images:
        changed = robust.run(work, graphs["float32"], artifacts, images, asked.robustness_images, progress)
        verdict = replace(verdict, robustness=robust.document(changed, threshold))
    maps = heat_maps.HeatMaps()
    if heat_map:
        predictions = [answer.predictions for answer in answers]
        maps = heat_maps.compare(graphs["float32"], artifacts, predictions, truth, threshold, images, progress)
    calibrated = reference.folder / export.MODEL
    bench = proof.time_all(work, artifacts, source.model, calibrated, asked.bench_runs, progress)
    made = ship.Leftovers(
        name=name,
        command=source.command(
            replace(compiling, quantizing=QuantizeOptions(quantize.facts(quantized).quantizer.chosen))
        ),
        targets=tuple(targets),
        images=images,
        trained=source.trained,
        exported=source.graph,
        quantized=quantized,
        artifacts=artifacts,
        reference=reference,
        times=_in_browser(work, targets, artifacts, images.size, asked.bench_runs, progress),
        capture=capture.run(work, images, progress),
    )
    report = ship.report(made, replace(verdict, heat_maps=maps.document), bench, compiling)
    ship.finish(output, made, report, maps.pictures)
    return Made(output, report)


def _graphs(
    work: Path, targets: Sequence[Target[Any]], reference: Stage, quantized: Stage, images: Images, progress: Progress
) -> dict[str, emit.Graph]:
    """The graph that the files of each precision are written from."""
    graphs = {"float32": emit.Graph(reference, export.MODEL), "int8": emit.Graph(quantized, export.MODEL)}
    if WEIGHT_ONLY in {precision for _, precision in wanted_files(targets)}:
        graphs[WEIGHT_ONLY] = emit.Graph(weight_only.run(work, reference, images, progress), export.MODEL)
    return graphs


def _about(images: Images) -> About:
    """What the files tell of themselves, where their format can."""
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

    def answer(artifact: Artifact) -> proof.Judged:
        answered = predict.run(work, artifact.path.name, artifact.path, artifact.sha256, images, shipped, progress)
        return proof.judged(artifact, answered, graphs[artifact.precision].path, exact, images)

    with ThreadPoolExecutor(usable_cores()) as pool:  # each file on one thread, as it is timed
        return list(pool.map(answer, artifacts))


def _in_browser(
    work: Path, targets: Sequence[Target[Any]], artifacts: Sequence[Artifact], size: int, runs: int, progress: Progress
) -> BrowserReport | None:
    """Times of the files of the target that runs in a browser, None without one."""
    timed = (t.time(t.options, work, artifacts, size, runs, progress) for t in targets if t.time is not None)
    return next(timed, None)


def _flags(brought: preflight.Brought) -> dict[str, Any]:
    """A trained network as flags of the command line."""
    if not brought.is_onnx:
        return {"checkpoint": brought.path}
    mean, std = (_spelt(numbers) for numbers in brought.normalization.channels(3))
    named = {} if brought.classes is None else {"classes": brought.classes}
    return {"onnx": brought.path, "mean": mean, "std": std, **named}


def _names(targets: Sequence[Target[Any]]) -> dict[str, tuple[str, ...]]:
    """As a flag of the command line."""
    return {"target": tuple(target.name for target in targets)}


def _options(compiling: CompileOptions, targets: Sequence[Target[Any]]) -> list[Any]:
    """Every group of options of a command line."""
    return [*vars(compiling).values(), *(target.options for target in targets)]


def _spelt(numbers: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in numbers)


def _checked(
    wanted: Sequence[str | Target[Any]], compiling: CompileOptions
) -> tuple[tuple[Target[Any], ...], list[str]]:
    """The known targets of those wanted, and what is wrong with the choices."""
    chosen: list[Target[Any]] = []
    problems = preflight.gathered(
        *(partial(lambda one: chosen.extend(choose([one])), one) for one in wanted),
        partial(quantizers.order, compiling.quantizing.quantizer),
        partial(operating_point.parse, compiling.proof.operating_point),
        partial(read_advice, compiling.proof.advice),
    )
    targets = choose(chosen)
    return targets, [*problems, *missing(targets)]


@contextlib.contextmanager
def _workspace(output: Path) -> Iterator[Path]:
    """The work folder of a bundle, held for this process; nothing stays when the first step already refuses.

    A build that finds it held touches nothing in it. Raises InputError.
    """
    check_output(output)
    fresh, work = not output.exists(), output / WORK
    with exclusive(work) as lock:
        try:
            yield work
        finally:
            if fresh and {path.name for path in work.iterdir()} <= {lock.name, *preflight.LEAVES}:
                for stage in preflight.LEAVES:
                    shutil.rmtree(work / stage, ignore_errors=True)
                lock.unlink()
                work.rmdir()
                with contextlib.suppress(OSError):  # what others laid there stays
                    output.rmdir()
