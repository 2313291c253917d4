"""Functions of one tensor that torch and TFLite have under a name of their own."""

from collections.abc import Callable

import onnx_ir as ir

from melanoma_edge.operators import Apply
from melanoma_edge.operators._attributes import need
from melanoma_edge.tflite.emission import Emission


def meaning(name: str) -> Callable[[ir.Node], Apply]:
    """`torch.nn.functional`'s or `torch`'s function `name`."""

    def build(node: ir.Node) -> Apply:
        import torch

        function = getattr(torch, name, None) or getattr(torch.nn.functional, name)
        return lambda inputs: function(need(inputs[0]))

    return build


def write(name: str) -> Callable[[ir.Node, Emission], None]:
    """Write TFLite's operator `name`, which has no options."""

    def emit(node: ir.Node, e: Emission) -> None:
        e.op(name, [e.input(node, 0)], [e.output(node)])

    return emit
