"""Concat of values and constants along any axis but the batch.

A border of one colour around the image is one. In 8 bits all share the output's scale, constants too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import ALL, Apply, Kernel, Operator, always
from melanoma_edge.operators._attributes import need, shape
from melanoma_edge.tflite import layout, schema
from melanoma_edge.tflite.emission import Emission

if TYPE_CHECKING:
    from torch import Tensor

MOST = 4  # inputs of CONCATENATION that XNNPACK's delegate takes; more are joined in turns


def _refuses(node: ir.Node) -> str:
    rank = len(shape(node.outputs[0]))
    axis = int(node.attributes.get_int("axis", 1))
    return "" if rank and axis % rank else f"any axis but the batch is accepted, found axis {axis}"


def _meaning(node: ir.Node) -> Apply:
    import torch

    axis = int(node.attributes.get_int("axis", 1))
    constants = [graph.constant(value) is not None for value in node.inputs]

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        parts = list(zip(map(need, inputs), constants, strict=True))
        batch = max((len(part) for part, constant in parts if not constant), default=1)
        return torch.cat([part.expand(batch, *part.shape[1:]) if constant else part for part, constant in parts], axis)

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    output = e.output(node)
    inputs = [e.requantized(e.member(node, i), output) for i in range(len(node.inputs))]
    axis = layout.axis(int(node.attributes.get_int("axis", 1)), len(e.shape(output)), e.is_image(node.outputs[0]))
    while len(inputs) > MOST:
        parts = [inputs[i : i + MOST] for i in range(0, len(inputs), MOST)]
        inputs = [part[0] if len(part) == 1 else joined(e, part, axis, output) for part in parts]
    _join(e, inputs, axis, output)


def joined(e: Emission, inputs: Sequence[int], axis: int, like: int) -> int:
    """Tensors behind a CONCATENATION along a TFLite axis, with the type and scale of `like`."""
    sides = list(e.shape(inputs[0]))
    sides[axis] = sum(e.shape(tensor)[axis] for tensor in inputs)
    result = e.like(like, f"{e.name(inputs[0])}_joined", sides)
    _join(e, inputs, axis, result)
    return result


def _join(e: Emission, inputs: Sequence[int], axis: int, output: int) -> None:
    options = schema.ConcatenationOptionsT(axis=axis, fusedActivationFunction=schema.ActivationFunctionType.NONE)
    e.op("CONCATENATION", inputs, [output], options)


OPERATORS = {
    "Concat": Operator(
        _meaning,
        _write,
        {"CONCATENATION": ((1, "1.5.0"), (2, "1.14.0"))},
        _refuses,
        data_inputs=ALL,
        homogeneous=True,
        moves=True,
        exact="copy",
        kernel=Kernel("QLinearConcat", ("CONCATENATION",), always, shares=True, constant=True),
    )
}
