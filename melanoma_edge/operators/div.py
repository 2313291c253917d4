"""Div: x / y. Neither runtime has an 8-bit kernel of it."""

import onnx_ir as ir

from melanoma_edge.operators import ALL, Operator, _binary
from melanoma_edge.tflite.emission import Emission


def _write(node: ir.Node, e: Emission) -> None:
    _binary.write(node, e, "DIV", "DivOptionsT")


OPERATORS = {
    "Div": Operator(
        _binary.meaning("div"),
        _write,
        {"DIV": ((1, "1.6.0"), None)},
        _binary.refuses,
        data_inputs=ALL,
        per_channel=True,
        exact="element",
        fuses=True,
    )
}
