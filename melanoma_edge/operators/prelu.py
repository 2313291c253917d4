"""PRelu: x, or slope * x below zero, with one constant slope a channel. Neither runtime has an 8-bit kernel of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from melanoma_edge.operators import Apply, Operator
from melanoma_edge.operators._attributes import need, not_constant, shape
from melanoma_edge.tflite.affine import Integers
from melanoma_edge.tflite.emission import Emission, constant_input

if TYPE_CHECKING:
    from torch import Tensor


def _refuses(node: ir.Node) -> str:
    found, slopes = shape(node.inputs[0]), shape(node.inputs[1])
    aligned = (1,) * (len(found) - len(slopes)) + slopes
    channels = found[1] if len(found) in (2, 4) else 0
    if not channels or aligned not in ((1,) * len(found), (1, channels, *(1,) * (len(found) - 2))):
        return f"one slope, or one a channel of an image or a matrix, is accepted, found slopes {slopes} for {found}"
    return not_constant(node, 1)


def _meaning(node: ir.Node) -> Apply:
    import torch

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x = need(inputs[0])
        return torch.where(x < 0, x * need(inputs[1]), x)

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    given = constant_input(node, 1)
    slope = given.real() if isinstance(given, Integers) else given
    data = e.input(node, 0)
    sides = e.shape(data)
    per_channel = np.broadcast_to(slope.reshape(-1), (sides[-1],)).reshape(*(1,) * (len(sides) - 2), -1)
    e.op("PRELU", [data, e.builder.constant(f"{node.name}_slope", per_channel)], [e.output(node)])


OPERATORS = {
    "PRelu": Operator(
        _meaning,
        _write,
        {"PRELU": ((1, "1.8.0"), None)},
        _refuses,
        homogeneous=True,
        per_channel=True,
        exact="element",
        layout="image",
    )
}
