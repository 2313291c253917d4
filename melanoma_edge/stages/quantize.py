"""The one quantised graph that every INT8 file is written from: attempts in turn, judged on the validation split."""

import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

from melanoma_edge import registry, runtime
from melanoma_edge.artifact import Stage, run_stage, write_json
from melanoma_edge.bench import latency
from melanoma_edge.bench.machine import usable_cores
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.export.tflite.emit import emit
from melanoma_edge.options import CompileOptions, Gates
from melanoma_edge.progress import Progress
from melanoma_edge.quantize import quantizers
from melanoma_edge.quantize.quantizers import Attempt, Subject, static
from melanoma_edge.runtime.predict import Predict
from melanoma_edge.stages import predict
from melanoma_edge.stages.data import Images
from melanoma_edge.stages.graph import FACTS, MODEL
from melanoma_edge.verify import operating_point
from melanoma_edge.verify.gates import judge
from melanoma_edge.verify.nearby import nearby
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions, predict_split

HEADROOM = 0.8  # of the flip gate: what is estimated on one split must hold on another
SLOWEST = 0.8  # latency by float's above which a file is chosen only when nothing faster was made
RUNS = 30  # timed runs of each file: enough for a choice, the report's own are more


@dataclass(frozen=True)
class Trial:
    """One attempt on the validation split. flip_rate and sensitivity_drop: means near the operating point.

    latency_ratio: median of the INT8 TFLite by that of the float one, one thread, taken in turns; onnx_latency_ratio:
    the same of the ONNX files. seconds: to quantize.
    None where a value is not defined.
    """

    recipe: str
    seconds: float
    float_nodes: int
    latency_ratio: float
    onnx_latency_ratio: float
    flips: int
    flip_rate: float | None
    sensitivity_drop: float | None
    auc_delta: float | None
    mean_abs_dp: float | None
    holds: bool


@dataclass(frozen=True)
class Skipped:
    """An attempt that was not made. flip_rate: what `static`'s becomes when the squared change of the probability
    shrinks as expected, for flips go with its root."""

    recipe: str
    flip_rate: float


Tried = list[tuple[Attempt, Trial]]


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
    The first attempt that holds the gates there is taken; when none does, the one that flips least of those that are
    faster than SLOWEST times float, for the test split to judge. An attempt that cannot be expected to hold is not
    made.
    """
    wanted, rule = options.quantizing.quantizer, options.proof.operating_point
    order = quantizers.order(wanted)

    def make(folder: Path) -> None:
        rewrites, chosen, search = _search(exported, images, reference, options, order, progress)
        ir.save(chosen.model, folder / MODEL)
        found = {"wanted": wanted, "chosen": chosen.recipe.name, **search}
        write_json(folder / FACTS, {"passes": rewrites, **chosen.report.describe(), "quantizer": found})

    return run_stage(
        work / "quantize",
        make,
        inputs={
            "model": exported.sha256(MODEL),
            "calibration": images.stage.sha256("calibration.npy"),
            "val": images.stage.sha256("val.npy"),
            "reference": reference.sha256("predictions.csv"),
        },
        options={"quantizer": wanted, "order": list(order), "operating_point": rule, "gates": asdict(options.gates)},
        tools=("torch", "onnx", "onnx-ir", "ai-edge-litert"),
        revision=4,
    )


def is_exact(stage: Stage) -> bool:
    """Whether every operator of the graph gives the same bits in every runtime."""
    return not json.loads((stage.folder / FACTS).read_text())["inexact_nodes"]


def _search(
    exported: Stage,
    images: Images,
    reference: Stage,
    options: CompileOptions,
    order: Sequence[str],
    progress: Progress,
) -> tuple[Mapping[str, int], Attempt, dict[str, Any]]:
    """What the passes rewrote, the attempt to ship, and those that were tried and left out as the report has them."""
    model = ir.load(exported.folder / MODEL)
    rewrites = passes.apply(model, "integer")
    most = HEADROOM * (math.inf if options.gates.max_flip_rate is None else options.gates.max_flip_rate)
    tried: Tried = []
    skipped: list[Skipped] = []

    def promising(name: str, remaining: float) -> bool:
        rate = _expected(tried, remaining)
        if rate is None or rate <= most:
            return True
        skipped.append(Skipped(name, round(rate, 6)))
        return False

    subject = Subject(model, images.pixels("calibration"), Preprocessing(images.size), promising)
    with tempfile.TemporaryDirectory() as scratch:
        truth = predict.predictions(reference).only("val")
        bench = _Bench(Path(scratch), images, truth, options.proof.operating_point, options.gates)
        bench.write(ir.load(exported.folder / MODEL), "float32")
        chosen = _choose(bench, _attempts(order, subject, progress), tried, progress)
    told = {"tried": [asdict(trial) for _, trial in tried], "skipped": [asdict(one) for one in skipped]}
    return rewrites, chosen, told


@dataclass(frozen=True)
class _Bench:
    """What attempts are measured with: a scratch folder, the validation images, and the reference's answers to them."""

    folder: Path
    images: Images
    truth: Predictions
    rule: str
    gates: Gates

    def file(self, name: str, form: str = "tflite") -> Path:
        return self.folder / f"{name}.{form}"

    def write(self, model: ir.Model, name: str) -> None:
        ir.save(model, self.file(name, "onnx"))
        emit(model, self.file(name), name=name)

    def load(self, name: str, form: str) -> Predict:
        return runtime.load(self.file(name, form), Preprocessing(self.images.size), threads=1)


def _attempts(order: Sequence[str], subject: Subject, progress: Progress) -> Iterator[Attempt]:
    for name in order:
        yield from registry.load(quantizers.__name__, name).attempts(subject, progress)


def _choose(bench: _Bench, attempts: Iterator[Attempt], tried: Tried, progress: Progress) -> Attempt:
    """The attempt to ship; stops at the first that holds. `tried` takes the attempts as they are judged."""
    started = time.monotonic()
    for attempt in attempts:
        seconds = time.monotonic() - started
        tried.append((attempt, _try(bench, attempt, seconds, progress)))
        if tried[-1][1].holds:
            return attempt
        started = time.monotonic()
    fast = [(a, t) for a, t in tried if max(t.latency_ratio, t.onnx_latency_ratio) <= SLOWEST] or tried
    best, _ = min(fast, key=lambda pair: math.inf if pair[1].flip_rate is None else pair[1].flip_rate)
    return best


def _expected(tried: Tried, remaining: float) -> float | None:
    """The flip rate of an attempt that leaves this share of the squared change that `static` makes, once that is
    known."""
    rates = [trial.flip_rate for _, trial in tried if trial.recipe == static.RECIPE.name]
    return math.sqrt(remaining) * rates[0] if rates and rates[0] is not None else None


def _try(bench: _Bench, attempt: Attempt, seconds: float, progress: Progress) -> Trial:
    """Write the attempt's TFLite file, run it on the validation split, and time it beside the float one."""
    name = attempt.recipe.name
    bench.write(attempt.model, name)
    answer = _predict(bench, name, progress)
    point = operating_point.choose(bench.rule, bench.truth)
    parity, around = compare(bench.truth, answer, point), nearby(bench.truth, answer, point)
    steady = replace(parity, flip_rate=around.flip_rate / HEADROOM, sensitivity_delta=-around.sensitivity_drop)
    gates = judge(name, steady, None, replace(bench.gates, max_bytes=None, max_graph_dp=None))
    return Trial(
        recipe=name,
        seconds=round(seconds, 2),
        float_nodes=len(attempt.report.float_nodes),
        latency_ratio=_latency_ratio(bench, name, "tflite"),
        onnx_latency_ratio=_latency_ratio(bench, name, "onnx"),
        flips=parity.flips,
        flip_rate=_number(around.flip_rate),
        sensitivity_drop=_number(around.sensitivity_drop),
        auc_delta=_number(parity.auc_delta),
        mean_abs_dp=_number(parity.mean_abs_dp),
        holds=all(gate.passed for gate in gates),
    )


def _predict(bench: _Bench, name: str, progress: Progress) -> Predictions:
    images = bench.images

    def told(task: str, done: int, total: int, detail: str = "") -> None:
        progress(f"{name}: {task}", done, total, detail)

    return predict_split(
        runtime.load(bench.file(name), Preprocessing(images.size), threads=usable_cores()),
        images.pixels("val"),
        ids=[s.id for s in images.samples("val")],
        labels=images.labels("val"),
        split="val",
        task=images.task,
        progress=told,
    )


def _latency_ratio(bench: _Bench, name: str, form: str) -> float:
    image = np.asarray(bench.images.pixels("val")[0])
    calls = {which: bench.load(which, form).prepared(image) for which in (name, "float32")}
    taken = latency.interleave(calls, runs=RUNS)
    return round(latency.ratio(taken[name], taken["float32"]).median, 3)


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
