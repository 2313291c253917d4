"""Fold batch norm, and any other per-channel scale and offset, into the convolution or linear layer in front of it.

At inference y = gamma * (x - mean) / sqrt(var + eps) + beta is one multiply and one add a channel (Ioffe and Szegedy,
arXiv:1502.03167, section 3.1): free when folded, a pass over memory when not. A batch norm with nothing to fold into
becomes a depthwise 1x1 convolution, one operator with per-channel scales in every integer runtime.
"""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.export.passes import _layer

PHASE = "clean"
AFTER = ("canonical_gemm",)


def run(model: ir.Model) -> int:
    """Fold in place; returns how many operators went or changed."""
    count = 0
    for node in list(model.graph):
        found = affine(node)
        if found is None:
            continue
        data, scale, offset = found
        layer = data.producer()
        if layer is not None and graph.only_used_by(data, node) and _layer.is_layer(layer):
            _layer.scale_output(layer, scale, offset)
            graph.replace(node, layer.outputs[0])
            count += 1
        elif graph.is_op(node, "BatchNormalization") and len(graph.dims(data) or ()) == 4:
            graph.replace(node, depthwise(node, data, scale, offset))
            count += 1
    return count


def affine(node: ir.Node) -> tuple[ir.Value, NDArray[np.float64], NDArray[np.float64]] | None:
    """(x, scale `[C]`, offset `[C]`) when `node` computes scale * x + offset with one number a channel."""
    if graph.is_op(node, "BatchNormalization"):
        return _batch_norm(node)
    if not graph.is_op(node, "Mul", "Div", "Add", "Sub"):
        return None
    operands = graph.data_and_constant(node)
    if operands is None or operands[1].dtype != np.float32:
        return None
    data, number = operands
    per_channel = _per_channel(number.astype(np.float64), data, node.outputs[0])
    if per_channel is None:
        return None
    pair = _scale_and_offset(node.op_type, per_channel, swapped=data is node.inputs[1])
    return None if pair is None else (data, *pair)


def _scale_and_offset(
    op_type: str, number: NDArray[np.float64], *, swapped: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """What `x op number` does to x, or `number op x` when swapped; None for a division by x or by zero."""
    ones, zeros = np.ones_like(number), np.zeros_like(number)
    if op_type == "Mul":
        return number, zeros
    if op_type == "Div":
        return None if swapped or not np.all(number) else (1 / number, zeros)
    if op_type == "Add":
        return ones, number
    return (-ones, number) if swapped else (ones, -number)


def _batch_norm(node: ir.Node) -> tuple[ir.Value, NDArray[np.float64], NDArray[np.float64]] | None:
    given = [graph.constant(v) for v in node.inputs[1:5]]
    arrays = [a.astype(np.float64) for a in given if a is not None]
    if len(arrays) != 4 or node.inputs[0] is None or node.attributes.get_int("training_mode", 0) == 1:
        return None
    gamma, beta, mean, var = arrays
    scale = gamma / np.sqrt(var + node.attributes.get_float("epsilon", 1e-5))
    return node.inputs[0], scale, beta - mean * scale


def _per_channel(number: NDArray[np.float64], data: ir.Value, output: ir.Value) -> NDArray[np.float64] | None:
    """`number` as `[C]` when broadcasting it over `data` varies along axis 1 only and keeps the shape."""
    shape = graph.dims(data)
    if shape is None or len(shape) not in (2, 4) or shape != graph.dims(output) or number.ndim > len(shape):
        return None
    aligned = number.reshape((1,) * (len(shape) - number.ndim) + number.shape)
    if any(d != 1 for axis, d in enumerate(aligned.shape) if axis != 1):
        return None
    return np.broadcast_to(aligned.reshape(-1), (shape[1],)).copy()


def depthwise(node: ir.Node, data: ir.Value, scale: NDArray[np.float64], offset: NDArray[np.float64]) -> ir.Value:
    """scale * data + offset, `[C]` each, as a depthwise 1x1 convolution in front of `node`."""
    owner = graph.graph_of(node)
    weights = graph.add_constant(owner, f"{data.name}_scale", scale.astype(np.float32).reshape(-1, 1, 1, 1))
    bias = graph.add_constant(owner, f"{data.name}_offset", offset.astype(np.float32))
    shape, channels = graph.dims(data), len(scale)
    return graph.insert(node, "Conv", [data, weights, bias], shape, {"group": channels, "kernel_shape": [1, 1]})
