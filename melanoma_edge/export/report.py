"""What report.json says of the float graph."""

from collections.abc import Mapping
from dataclasses import dataclass

from melanoma_edge.data.preprocess import PreprocessingFacts
from melanoma_edge.document import by_name


@dataclass(frozen=True)
class ExportReport:
    """What was written, before any pass. operators: how many of each. bytes: of the file.

    max_abs_difference: of its logits in onnxruntime to the source's, over the check's images.
    """

    opset: int
    operators: Mapping[str, int]
    bytes: int
    max_abs_difference: float

    __getitem__ = by_name


@dataclass(frozen=True)
class ExportFacts(ExportReport):
    """The same with where the graph came from. source: "torch", or the name of an ONNX file. passes: rewrites by pass.

    own_preprocessing: what an ONNX file takes; ours was folded into its first layer. None where it takes ours. cut:
    the Softmax that was cut off its end. order: its outputs that became the first, second ... logit; empty where they
    stay as they are.
    """

    source: str
    passes: Mapping[str, int]
    own_preprocessing: PreprocessingFacts | None = None
    cut: str | None = None
    order: tuple[int, ...] = ()

    __getitem__ = by_name
