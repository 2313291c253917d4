"""What report.json says of the attempts to quantize."""

from collections.abc import Mapping
from dataclasses import dataclass

from melanoma_edge.document import by_name
from melanoma_edge.quantization.report import QuantizationReport


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One attempt on the validation split. flip_rate and sensitivity_drop: means near the operating point.

    predicted_ratio, onnx_predicted_ratio: latency of the INT8 TFLite and ONNX file by the float one's, as `cost` has
    it from the graphs; attempts are compared by these. latency_ratio, onnx_latency_ratio: medians as measured, one
    thread, taken in turns. seconds: to quantize. holds: every gate, that of flips with `trial.HEADROOM`. None where a
    value is not defined.
    """

    recipe: str
    seconds: float
    float_nodes: int
    predicted_ratio: float | None = None
    onnx_predicted_ratio: float | None = None
    latency_ratio: float
    onnx_latency_ratio: float
    flips: int
    flip_rate: float | None
    sensitivity_drop: float | None
    auc_delta: float | None
    mean_abs_dp: float | None
    holds: bool

    __getitem__ = by_name


@dataclass(frozen=True)
class Skipped:
    """A plan that was not carried out.

    why: "flips", too many to hold the gates; "dearer", one behind it promised to reach `search.AIM`; "little", a fast
    attempt holds and this one does not promise to reach it; "slow", the same, and it is expected above
    `search.SLOWEST`. flip_rate and latency_ratio: what was expected of it, the latter as predicted in the slower
    runtime; None where nothing told.
    """

    recipe: str
    why: str = "flips"
    flip_rate: float | None = None
    latency_ratio: float | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class SearchReport:
    """The quantizer that was asked for, the recipe that was chosen, the attempts, and the plans that were left out."""

    wanted: str
    chosen: str
    tried: tuple[Trial, ...]
    skipped: tuple[Skipped, ...]

    __getitem__ = by_name


@dataclass(frozen=True)
class QuantizationFacts(QuantizationReport):
    """The report of the chosen attempt, with the passes before it (rewrites by pass) and how it was chosen."""

    passes: Mapping[str, int]
    quantizer: SearchReport

    __getitem__ = by_name
