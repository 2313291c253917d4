"""Other shapes for the same elements in the same order: Reshape, Flatten, Squeeze, Unsqueeze."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import Apply, Kernel, Operator, always, of
from melanoma_edge.operators._attributes import axes, need, not_constant, shape
from melanoma_edge.tflite import layout
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import reshaped, settle, transposed

if TYPE_CHECKING:
    from torch import Tensor


def _target(node: ir.Node) -> list[int]:
    found = graph.constant(node.inputs[1])
    return [] if found is None else [int(d) for d in np.atleast_1d(found)]


def _refuses_reshape(node: ir.Node) -> str:
    target, before = _target(node), shape(node.inputs[0])
    if target and target[0] not in (-1, 0, before[0] if before else 1):
        return f"a shape that keeps the batch as first dimension is accepted, found {target}"
    return not_constant(node, 1) or _unknown(node)


def _refuses_flatten(node: ir.Node) -> str:
    axis = node.attributes.get_int("axis", 1)
    return f"axis 1 is accepted, found {axis}" if axis != 1 else _unknown(node)


def _refuses_axes(node: ir.Node) -> str:
    found, rank = axes(node), max(len(shape(value)) for value in (node.inputs[0], node.outputs[0]))
    if not found or not rank or any(a % rank == 0 for a in found):
        return f"named axes behind the batch are accepted, found {found}"
    return _unknown(node)


def _unknown(node: ir.Node) -> str:
    known = shape(node.inputs[0]) and shape(node.outputs[0])
    return "" if known else "it needs known shapes"


def _reshape(node: ir.Node) -> Apply:
    target = _target(node)

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x = need(inputs[0])
        rest = [x.shape[i + 1] if d == 0 else d for i, d in enumerate(target[1:])]
        return x.reshape(x.shape[0], *rest)

    return apply


def _flatten(node: ir.Node) -> Apply:
    return lambda inputs: need(inputs[0]).flatten(1)


def _squeeze(node: ir.Node) -> Apply:
    dims = tuple(axes(node) or ())
    return lambda inputs: need(inputs[0]).squeeze(dims)


def _unsqueeze(node: ir.Node) -> Apply:
    rank = len(shape(node.outputs[0]))
    places = sorted(axis % rank for axis in axes(node) or ())

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x = need(inputs[0])
        for axis in places:
            x = x.unsqueeze(axis)
        return x

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    before, after = shape(node.inputs[0]), shape(node.outputs[0])
    data, name = e.input(node, 0), str(node.outputs[0].name)
    if _turned(before, e, node.inputs[0]) and len(after) == 2 and _feeds_only_linear(node.outputs[0]):
        e.flattened[node.outputs[0]] = (before[1], before[2], before[3])
    elif _turned(before, e, node.inputs[0]):
        data = transposed(e, data, f"{name}_nchw", layout.NCHW)
    if _turned(after, e, node.outputs[0]):
        data = reshaped(e, data, f"{name}_nchw", after)
        settle(e, node, transposed(e, data, name, layout.NHWC))
    else:
        settle(e, node, reshaped(e, data, name, layout.shape(after, e.is_image(node.outputs[0]))))


def _turned(dims: Sequence[int], e: Emission, value: ir.Value | None) -> bool:
    """Whether the elements of a value lie in another order in the file."""
    return e.is_image(value) and dims[1] > 1 and dims[2] * dims[3] > 1


def _feeds_only_linear(value: ir.Value) -> bool:
    """Whether only layers that read a flat vector in any order read `value`, perhaps quantised."""
    if value.is_graph_output() or not value.uses():
        return False
    for node, index in value.uses():
        if graph.is_quantize(node) or graph.is_dequantize(node):
            if not _feeds_only_linear(node.outputs[0]):
                return False
        elif not of(node).any_columns or index != 0:
            return False
    return True


# ONNX Runtime takes the Q/DQ pairs around each of them away; the quantiser asks for those that the clean passes leave
PLACED = Kernel("Reshape", ("RESHAPE",), always, shares=True)
OTHERS = Kernel("", ("RESHAPE",), always)

OPERATORS = {
    name: Operator(
        meaning,
        _write,
        refuses=refuses,
        homogeneous=True,
        moves=True,
        keeps_order=True,
        exact="copy",
        kernel=kernel,
        layout="free",
    )
    for name, meaning, refuses, kernel in (
        ("Flatten", _flatten, _refuses_flatten, PLACED),
        ("Reshape", _reshape, _refuses_reshape, PLACED),
        ("Squeeze", _squeeze, _refuses_axes, OTHERS),
        ("Unsqueeze", _unsqueeze, _refuses_axes, OTHERS),
    )
}
