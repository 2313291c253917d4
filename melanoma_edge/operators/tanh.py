"""Tanh. ONNX Runtime has no 8-bit kernel of it."""

import onnx_ir as ir

from melanoma_edge.operators import Kernel, Operator, _unary
from melanoma_edge.tflite.builder import Quantization


def _takes(node: ir.Node, output: Quantization) -> bool:
    """Its output is in steps of 1/128 around 0 in every TFLite kernel; with another scale it runs in float."""
    return float(output.scale[0]) == 1 / 128 and int(output.zero_point[0]) == 0


OPERATORS = {
    "Tanh": Operator(
        _unary.meaning("tanh"),
        _unary.write("TANH"),
        {"TANH": ((1, "1.14.0"), (2, "1.14.0"))},
        per_channel=True,
        kernel=Kernel("", ("TANH",), _takes),
    )
}
