"""Mul: x * y."""

import onnx_ir as ir

from melanoma_edge.operators import ALL, Kernel, Operator, _binary, always
from melanoma_edge.tflite.emission import Emission

RESCALE_ABOVE_1 = (3, "1.15.0")  # the version for products that are scaled up


def _write(node: ir.Node, e: Emission) -> None:
    inputs, output = [e.operand(node, 0), e.operand(node, 1)], e.output(node)
    version = None
    if e.is_integer(node):
        first, second, made = (float(e.quantizations[tensor].scale[0]) for tensor in (*inputs, output))
        version = RESCALE_ABOVE_1 if first * second / made >= 1 else None
    _binary.write_tensors(node, e, "MUL", "MulOptionsT", inputs, output, version)


OPERATORS = {
    "Mul": Operator(
        _binary.meaning("mul"),
        _write,
        {"MUL": ((1, "1.5.0"), (2, "1.14.0"))},
        _binary.refuses,
        data_inputs=ALL,
        product=True,
        per_channel=True,
        exact="element",
        kernel=Kernel("QLinearMul", ("MUL",), always, constant=True, ratio=(2.0**-16, 2.0**8), rounds="product"),
        fuses=True,
    )
}
