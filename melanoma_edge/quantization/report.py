"""What report.json says of the INT8 graph."""

from collections.abc import Mapping
from dataclasses import dataclass

from melanoma_edge.document import by_name
from melanoma_edge.quantization.affine import Affine
from melanoma_edge.quantization.recipe import Recipe


@dataclass(frozen=True)
class QuantizationReport:
    """What was decided and how well it holds on the calibration images.

    images: of those how many. tensors: scale and zero point (uint8) by value name. float_nodes: operators left in
    float. inexact_nodes: operators whose results may differ between runtimes, in the last bit or by one integer.
    signal_to_noise: decibels by value name.
    """

    recipe: Recipe
    images: int
    seconds: float
    tensors: Mapping[str, Affine]
    integer_nodes: tuple[str, ...]
    float_nodes: tuple[str, ...]
    inexact_nodes: tuple[str, ...]
    signal_to_noise: Mapping[str, float]

    __getitem__ = by_name
