"""The float graph: exported from a checkpoint, or adopted from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.artifact import Stage, read_json, run_stage, sha256_file, write_json
from melanoma_edge.data.preprocess import Preprocessing, PreprocessingFacts
from melanoma_edge.export import passes
from melanoma_edge.export.brought import ENDING_CHANGED, bring
from melanoma_edge.export.onnx import export_onnx
from melanoma_edge.export.report import ExportFacts, ExportReport
from melanoma_edge.train.weights import load_model

MODEL, FACTS = "model.onnx", "facts.json"


def export(work: Path, checkpoint: Path) -> Stage:
    """torch to a clean float32 ONNX graph, compared with torch on the way."""

    def make(folder: Path) -> None:
        model, made_with = load_model(checkpoint)
        report = export_onnx(model, made_with.spec.image_size, folder / MODEL)
        rewrites = rewrite(folder / MODEL, "clean")
        write_json(folder / FACTS, _facts(report, "torch", rewrites))

    return run_stage(
        work / "export",
        make,
        inputs={"checkpoint": sha256_file(checkpoint)},
        code=__name__,
        options={},
        tools=("torch", "onnx", "onnxsim", "onnx-ir"),
    )


def adopt(work: Path, onnx: Path, own: Preprocessing, order: Sequence[int] = ()) -> Stage:
    """A network from elsewhere as a clean float32 graph that takes `(pixel - 128) / 128` instead of its `own`.

    order: which of its outputs are the task's first, second ... class; nothing where they are in order already. Leaves
    besides, where a Softmax was cut off or outputs were put in order, the network with that done to it alone.
    """

    def make(folder: Path) -> None:
        brought = bring(onnx, folder, own, order=order)
        ir.save(brought.model, folder / MODEL)
        told = _facts(brought.report, onnx.name, brought.passes, own.describe())
        write_json(folder / FACTS, replace(told, cut=brought.cut, order=tuple(order)))

    return run_stage(
        work / "export",
        make,
        inputs={"onnx": sha256_file(onnx)},
        code=__name__,
        options={"mean": own.mean, "std": own.std, "order": list(order)},
        tools=("onnx", "onnxsim", "onnx-ir"),
    )


def reference(adopted: Stage, given: Path) -> Path:
    """The file that everything is compared with: `given` itself, unless `adopt` had to change how it ends."""
    changed = adopted.folder / ENDING_CHANGED
    return changed if changed.is_file() else given


def facts(stage: Stage) -> ExportFacts:
    """What the stage wrote about its own work."""
    return read_json(stage.folder / FACTS, ExportFacts)


def _facts(
    report: ExportReport, source: str, rewrites: Mapping[str, int], own: PreprocessingFacts | None = None
) -> ExportFacts:
    return ExportFacts(
        opset=report.opset,
        operators=report.operators,
        bytes=report.bytes,
        max_abs_difference=report.max_abs_difference,
        source=source,
        passes=rewrites,
        own_preprocessing=own,
    )


def rewrite(path: Path, phase: str) -> dict[str, int]:
    """Run the passes of a phase over a file; returns the number of rewrites by pass."""
    model = ir.load(path)
    rewrites = passes.apply(model, phase)
    ir.save(model, path)
    return rewrites
