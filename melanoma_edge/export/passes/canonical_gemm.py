"""One form for a linear layer: Gemm with transB=1, alpha=beta=1 and weights `[out, in]`.

Its output channels then lie on axis 0, as in a convolution, which is where per-channel scales and FULLY_CONNECTED's
weights want them. A MatMul of a matrix by constant weights becomes a Gemm, and a constant added behind it its bias.
"""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph

PHASE = "clean"
AFTER = ("drop_noop",)


def run(model: ir.Model) -> int:
    """Rewrite linear layers in place; returns how many changed."""
    return sum(_rewrite(node) for node in list(model.graph) if graph.is_op(node, "Gemm", "MatMul"))


def _rewrite(node: ir.Node) -> bool:
    data, weights = node.inputs[0], graph.constant(node.inputs[1])
    attributes = node.attributes
    if data is None or weights is None or weights.ndim != 2 or attributes.get_int("transA", 0) == 1:
        return False
    shape = graph.dims(data)
    if shape is None or len(shape) != 2 or _is_canonical(node):
        return False
    rows = weights.astype(np.float32) if attributes.get_int("transB", 0) == 1 else weights.astype(np.float32).T
    rows = rows * np.float32(attributes.get_float("alpha", 1.0))
    bias = _bias(node, len(rows))
    if bias is None:
        return False
    owner, name = graph.graph_of(node), node.inputs[1].name if node.inputs[1] is not None else "weight"
    inputs = [data, graph.add_constant(owner, f"{name}_t", rows), graph.add_constant(owner, f"{name}_bias", bias)]
    graph.replace(node, graph.insert(node, "Gemm", inputs, (shape[0], len(rows)), {"transB": 1}))
    return True


def _is_canonical(node: ir.Node) -> bool:
    attributes = node.attributes
    return (
        node.op_type == "Gemm"
        and attributes.get_int("transB", 0) == 1
        and attributes.get_float("alpha", 1.0) == attributes.get_float("beta", 1.0) == 1.0
        and len(node.inputs) == 3
        and node.inputs[2] is not None
        and len(graph.dims(node.inputs[2]) or ()) == 1
    )


def _bias(node: ir.Node, channels: int) -> NDArray[np.float32] | None:
    """The bias as float32 `[channels]`; None when it is computed or differs between rows."""
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return np.zeros(channels, np.float32)
    bias = graph.constant(node.inputs[2])
    if bias is None or (bias.ndim == 2 and bias.shape[0] != 1):
        return None
    scaled = np.float32(node.attributes.get_float("beta", 1.0)) * bias.astype(np.float32)
    return np.broadcast_to(scaled.reshape(-1), (channels,)).copy()
