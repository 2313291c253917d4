"""Sigmoid, as LOGISTIC."""

import onnx_ir as ir

from melanoma_edge.operators import Kernel, Operator, _unary
from melanoma_edge.tflite.builder import Quantization

SCALE, ZERO_POINT = 1 / 256, 0  # of its output, in every TFLite kernel


def _takes(node: ir.Node, output: Quantization) -> bool:
    """With another scale it runs in float."""
    return float(output.scale[0]) == SCALE and int(output.zero_point[0]) == ZERO_POINT - 128


OPERATORS = {
    "Sigmoid": Operator(
        _unary.meaning("sigmoid"),
        _unary.write("LOGISTIC"),
        {"LOGISTIC": ((1, "1.14.0"), (2, "1.14.0"))},
        per_channel=True,
        kernel=Kernel("QLinearSigmoid", ("LOGISTIC",), _takes, fixed=(SCALE, ZERO_POINT)),
    )
}
