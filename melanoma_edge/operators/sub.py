"""Sub: x - y. ONNX Runtime has no 8-bit kernel of it."""

import onnx_ir as ir

from melanoma_edge.operators import ALL, Kernel, Operator, _binary, always
from melanoma_edge.tflite.emission import Emission


def _write(node: ir.Node, e: Emission) -> None:
    _binary.write(node, e, "SUB", "SubOptionsT")


OPERATORS = {
    "Sub": Operator(
        _binary.meaning("sub"),
        _write,
        {"SUB": ((1, "1.6.0"), (2, "1.14.0"))},
        _binary.refuses,
        data_inputs=ALL,
        homogeneous=True,
        per_channel=True,
        exact="element",
        kernel=Kernel("", ("SUB",), always),
        fuses=True,
    )
}
