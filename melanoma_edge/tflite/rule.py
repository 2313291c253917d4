"""What a rule is: how one ONNX operator is written, and whether it has an 8-bit form."""

from collections.abc import Callable
from dataclasses import dataclass

import onnx_ir as ir

from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.emission import Emission


def never(node: ir.Node, output: Quantization) -> bool:
    """The `integer` of an operator that always runs in float."""
    return False


def always(node: ir.Node, output: Quantization) -> bool:
    """The `integer` of an operator whose 8-bit kernel takes any scale."""
    return True


@dataclass(frozen=True)
class Rule:
    """write: emits one node. integer: whether the node, with all inputs 8-bit and its output quantised so, has an 8-bit
    kernel in XNNPACK. fuses: whether the operator takes a fused clamp.
    """

    write: Callable[[ir.Node, Emission], None]
    integer: Callable[[ir.Node, Quantization], bool] = never
    fuses: bool = False
