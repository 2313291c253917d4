"""One attempt to quantize, measured on the validation split beside the float network."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import formats
from melanoma_edge.bench import latency
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.formats import write
from melanoma_edge.options import Gates
from melanoma_edge.progress import Progress
from melanoma_edge.quantization.quantizers import Attempt
from melanoma_edge.runtime.predict import Logits, Predict
from melanoma_edge.selection import cost
from melanoma_edge.selection.report import Trial
from melanoma_edge.verify import operating_point
from melanoma_edge.verify.gates import judge
from melanoma_edge.verify.nearby import nearby
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions, predict_split

HEADROOM = 0.8  # of the flip gate: what is estimated on one split must hold on another
RUNS = 30  # timed runs of each file: enough for a choice, the report's own are more
FLOAT = "float32"


@dataclass(frozen=True)
class Bench:
    """What attempts are measured with: a scratch folder, the float graph that their files are timed beside, the
    validation images, and the reference's answers to them."""

    folder: Path
    exact: ir.Model
    images: Images
    truth: Predictions
    rule: str
    gates: Gates

    def file(self, name: str, form: str = "tflite") -> Path:
        """The file of an attempt or of FLOAT."""
        return self.folder / f"{name}.{form}"

    def write(self, model: ir.Model, name: str) -> None:
        """The TFLite and the ONNX file of a graph."""
        for form in ("tflite", "onnx"):
            write(model, self.file(name, form))

    def load(self, name: str, form: str) -> Predict:
        """A written file, on one thread."""
        return formats.load(self.file(name, form), Preprocessing(self.images.size), threads=1)


def measure(bench: Bench, attempt: Attempt, seconds: float, progress: Progress) -> Trial:
    """Write the attempt's files, run the TFLite one on the validation split, and time both beside the float ones, which
    have been written."""
    name = attempt.recipe.name
    bench.write(attempt.model, name)
    answer = _predict(bench, name, progress)
    point = operating_point.choose(bench.rule, bench.truth)
    parity, around = compare(bench.truth, answer, point), nearby(bench.truth, answer, point)
    steady = replace(parity, flip_rate=around.flip_rate / HEADROOM, sensitivity_delta=-around.sensitivity_drop)
    gates = judge(name, steady, None, replace(bench.gates, max_bytes=None))
    return Trial(
        recipe=name,
        seconds=round(seconds, 2),
        float_nodes=len(attempt.report.float_nodes),
        predicted_ratio=round(cost.ratio(attempt.model, bench.exact, "litert"), 3),
        onnx_predicted_ratio=round(cost.ratio(attempt.model, bench.exact, "onnxruntime"), 3),
        latency_ratio=_latency_ratio(bench, name, "tflite"),
        onnx_latency_ratio=_latency_ratio(bench, name, "onnx"),
        flips=parity.flips,
        flip_rate=_number(around.flip_rate),
        sensitivity_drop=_number(around.sensitivity_drop),
        auc_delta=_number(parity.auc_delta),
        mean_abs_dp=_number(parity.mean_abs_dp),
        holds=all(gate.passed for gate in gates),
    )


def _predict(bench: Bench, name: str, progress: Progress) -> Predictions:
    """What the TFLite file says of the validation images: parts of them side by side, each image on one thread, so that
    no sum in float depends on the number of cores."""
    images, runs = bench.images, [bench.load(name, "tflite") for _ in range(usable_cores())]

    def told(task: str, done: int, total: int, detail: str = "") -> None:
        progress(f"{name}: {task}", done, total, detail)

    with ThreadPoolExecutor(len(runs)) as pool:

        def answer(pixels: NDArray[np.uint8]) -> Logits:
            parts = [part for part in np.array_split(pixels, len(runs)) if len(part)]
            return np.concatenate(list(pool.map(lambda run, part: run(part), runs, parts)))

        return predict_split(
            answer,
            images.pixels("val"),
            ids=[s.id for s in images.samples("val")],
            labels=images.labels("val"),
            split="val",
            task=images.task,
            progress=told,
        )


def _latency_ratio(bench: Bench, name: str, form: str) -> float:
    image = np.asarray(bench.images.pixels("val")[0])
    calls = {which: bench.load(which, form).prepared(image) for which in (name, FLOAT)}
    taken = latency.interleave(calls, runs=RUNS)
    return round(latency.ratio(taken[name], taken[FLOAT]).median, 3)


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
