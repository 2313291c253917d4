"""Add: x + y."""

import onnx_ir as ir

from melanoma_edge.operators import ALL, Kernel, Operator, _binary, always
from melanoma_edge.tflite.emission import Emission


def _write(node: ir.Node, e: Emission) -> None:
    _binary.write(node, e, "ADD", "AddOptionsT")


OPERATORS = {
    "Add": Operator(
        _binary.meaning("add"),
        _write,
        {"ADD": ((1, "1.5.0"), (2, "1.14.0"))},
        _binary.refuses,
        data_inputs=ALL,
        homogeneous=True,
        per_channel=True,
        exact="element",
        kernel=Kernel("QLinearAdd", ("ADD",), always, constant=True, ratio=(2.0**-10, 2.0**8), rounds="sum"),
        fuses=True,
    )
}
