"""The network as it will be, before it is trained: what cannot be compiled is refused before an image is decoded."""

from pathlib import Path

from melanoma_edge import models
from melanoma_edge.artifact import Stage, run_stage
from melanoma_edge.export.onnx import export_onnx
from melanoma_edge.models import Spec
from melanoma_edge.stages.export import MODEL, rewrite


def run(work: Path, spec: Spec) -> Stage:
    """Leaves model.onnx, the clean float graph of a network with random weights."""

    def make(folder: Path) -> None:
        network = models.create(spec.arch, spec.num_classes, dropout=spec.dropout, head=spec.head)
        export_onnx(network, spec.image_size, folder / MODEL)
        rewrite(folder / MODEL, "clean")

    return run_stage(
        work / "untrained",
        make,
        inputs={},
        code=__name__,
        options=vars(spec),
        tools=("torch", "onnx", "onnxsim", "onnx-ir"),
    )
