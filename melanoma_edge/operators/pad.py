"""Pad with constant zero. In front of a convolution it becomes the convolution's own (the pass `merge_pad`)."""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.operators import Apply, Kernel, Operator, always
from melanoma_edge.operators._attributes import given, need, not_constant, shape
from melanoma_edge.tflite import layout
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import padded_axes, settle


def _table(node: ir.Node) -> NDArray[np.int32]:
    """(before, after) of each axis, int32 `[rank, 2]`."""
    rank = len(shape(node.inputs[0]))
    pads = graph.constant(node.inputs[1])
    assert pads is not None and pads.size == 2 * rank, "not a constant"  # `_refuses` looked
    return pads.astype(np.int32).reshape(2, -1).T


def _refuses(node: ir.Node) -> str:
    mode, fill = node.attributes.get_string("mode", "constant"), given(node, 2)
    if mode != "constant" or (fill is not None and graph.scalar(fill) != 0.0):
        return f"constant padding with zero is accepted, found mode {mode!r} with {graph.scalar(fill)}"
    computed = not_constant(node, 1)
    if computed or given(node, 1) is None:
        return computed or "its pads must be a constant input"
    if given(node, 3) is not None:
        return "the pads of all axes are accepted, found an input of axes, which ONNX Runtime reads wrongly in 8 bits"
    table = _table(node)
    if np.any(table < 0) or np.any(table[0]):
        return f"padding, not cropping, of all axes but the batch is accepted, found pads {table.tolist()}"
    return ""


def _meaning(node: ir.Node) -> Apply:
    import torch.nn.functional as F  # noqa: N812

    order = [int(p) for pads in reversed(_table(node)) for p in pads]
    return lambda inputs: F.pad(need(inputs[0]), order)


def _write(node: ir.Node, e: Emission) -> None:
    table = _table(node)
    table = table[list(layout.NHWC)] if e.is_image(node.inputs[0]) else table
    settle(e, node, padded_axes(e, e.input(node, 0), str(node.outputs[0].name), table.tolist()))


OPERATORS = {
    "Pad": Operator(
        _meaning,
        _write,
        refuses=_refuses,
        homogeneous=True,
        moves=True,
        exact="copy",
        kernel=Kernel("", ("PAD",), always),
    )
}
