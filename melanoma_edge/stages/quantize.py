"""The one quantised graph that every INT8 file is written from: attempts in turn, judged on the validation split."""

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.allocator import freed_memory_kept
from melanoma_edge.artifact import Stage, read_json, run_stage, write_json
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.options import CompileOptions
from melanoma_edge.progress import Progress
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.quantizers import Attempt, Plan, Subject
from melanoma_edge.selection.report import QuantizationFacts, SearchReport, Trial
from melanoma_edge.selection.search import Planner, Search, search
from melanoma_edge.selection.trial import FLOAT, Bench, measure
from melanoma_edge.stages import predict
from melanoma_edge.stages.export import FACTS, MODEL


def run(
    work: Path,
    exported: Stage,
    images: Images,
    reference: Stage,
    options: CompileOptions,
    progress: Progress,
) -> Stage:
    """Leaves model.onnx and facts.json: what was decided, and everything that was tried with its figures.

    reference: the stage that holds the reference's predictions, of which only the validation split is read.
    See `search` for which attempts are made and which one is taken.
    """
    wanted, rule = options.quantizing.quantizer, options.proof.operating_point
    order = quantizers.order(wanted)

    def make(folder: Path) -> None:
        with freed_memory_kept():
            rewrites, found = _search(exported, images, reference, options, progress)
        ir.save(found.chosen.model, folder / MODEL)
        write_json(folder / FACTS, _facts(wanted, rewrites, found))

    return run_stage(
        work / "quantize",
        make,
        inputs={
            "model": exported.sha256(MODEL),
            "calibration": images.stage.sha256("calibration.npy"),
            "val": images.stage.sha256("val.npy"),
            "reference": reference.sha256("predictions.csv"),
        },
        code=__name__,
        options={
            "quantizer": wanted,
            "order": [list(names) for names in order],
            "operating_point": rule,
            "gates": asdict(options.gates),
        },
        tools=("torch", "onnxruntime", "ai-edge-litert", "numpy", "scipy", "onnx", "onnx-ir"),
    )


def facts(stage: Stage) -> QuantizationFacts:
    """What the stage wrote about its own work."""
    return read_json(stage.folder / FACTS, QuantizationFacts)


def is_exact(stage: Stage) -> bool:
    """Whether every operator of the graph gives the same bits in every runtime."""
    return not facts(stage).inexact_nodes


def _facts(wanted: str, rewrites: Mapping[str, int], found: Search) -> QuantizationFacts:
    report, trials = found.chosen.report, tuple(attempt.trial for attempt in found.made)
    return QuantizationFacts(
        recipe=report.recipe,
        images=report.images,
        seconds=report.seconds,
        tensors=report.tensors,
        integer_nodes=report.integer_nodes,
        float_nodes=report.float_nodes,
        inexact_nodes=report.inexact_nodes,
        signal_to_noise=report.signal_to_noise,
        passes=rewrites,
        quantizer=SearchReport(wanted, found.chosen.recipe.name, trials, tuple(found.skipped)),
    )


def _search(
    exported: Stage,
    images: Images,
    reference: Stage,
    options: CompileOptions,
    progress: Progress,
) -> tuple[Mapping[str, int], Search]:
    """What the passes rewrote, and the attempts."""
    model = ir.load(exported.folder / MODEL)
    rewrites = passes.apply(model, "integer")
    subject = Subject(model, images.pixels("calibration"), Preprocessing(images.size))
    with tempfile.TemporaryDirectory() as scratch:
        truth = predict.predictions(reference).only("val")
        exact = ir.load(exported.folder / MODEL)
        bench = Bench(Path(scratch), exact, images, truth, options.proof.operating_point, options.gates)
        bench.write(exact, FLOAT)

        def planners(names: Sequence[str]) -> list[Planner]:
            return [partial(quantizers.plans, name, subject, progress) for name in names]

        def make(plan: Plan) -> tuple[Attempt, Trial]:
            started = time.monotonic()
            attempt = quantizers.attempt(subject, plan.recipe, progress)
            return attempt, measure(bench, attempt, time.monotonic() - started, progress)

        most = math.inf if options.gates.max_flip_rate is None else options.gates.max_flip_rate
        usual, last = quantizers.order(options.quantizing.quantizer)
        return rewrites, search(planners(usual), planners(last), make, most)
