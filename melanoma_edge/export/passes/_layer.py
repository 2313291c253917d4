"""The weights of a layer (Conv, or Gemm in canonical form): output channels on axis 0, a constant bias or none."""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph, operators


def is_layer(node: ir.Node) -> bool:
    """Whether `node` is a Conv, or a Gemm with transB=1 and alpha=beta=1, whose weights and bias are constants."""
    weights = graph.constant(node.inputs[1]) if operators.of(node).weighted else None
    if weights is None:
        return False
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is not None and (graph.constant(bias) is None or len(graph.dims(bias) or ()) != 1):
        return False
    attributes = node.attributes
    return weights.ndim > 2 or (
        attributes.get_int("transB", 0) == 1
        and attributes.get_int("transA", 0) == 0
        and attributes.get_float("alpha", 1.0) == attributes.get_float("beta", 1.0) == 1.0
    )


def scale_output(
    layer: ir.Node, scale: NDArray[np.float64] | np.float64, offset: NDArray[np.float64] | np.float64
) -> None:
    """Make `layer` compute scale * y + offset instead of y; both are `[C]`, or one number for all channels."""
    weights = _array(layer, 1)
    channels = weights.shape[0]
    bias = _array(layer, 2) if len(layer.inputs) > 2 and layer.inputs[2] is not None else np.zeros(channels)
    per_channel = np.broadcast_to(scale, (channels,)).reshape(-1, *(1,) * (weights.ndim - 1))
    _set(layer, 1, weights * per_channel)
    _set(layer, 2, bias * scale + offset)


def reorder_output(layer: ir.Node, order: NDArray[np.int64]) -> None:
    """Make `layer` compute y[order] instead of y, channel by channel."""
    _set(layer, 1, _array(layer, 1)[order])
    if len(layer.inputs) > 2 and layer.inputs[2] is not None:
        _set(layer, 2, _array(layer, 2)[order])


def scale_input(layer: ir.Node, factor: float) -> None:
    """Make `layer` compute what it did, from an input that is 1 / `factor` times what it was."""
    _set(layer, 1, _array(layer, 1) * factor)


def _array(layer: ir.Node, index: int) -> NDArray[np.float64]:
    array = graph.constant(layer.inputs[index])
    if array is None:
        raise ValueError(f"{layer.op_type} {layer.name}: input {index} is not a constant")
    return array.astype(np.float64)


def _set(layer: ir.Node, index: int, array: NDArray[np.float64]) -> None:
    """Give `layer` an initializer of its own; the old one may be shared, and is dropped by `tidy` when it is not."""
    old = layer.inputs[index] if len(layer.inputs) > index else None
    name = f"{layer.name}_bias" if old is None else str(old.name)
    layer.resize_inputs(max(len(layer.inputs), index + 1))
    new = graph.add_constant(graph.graph_of(layer), name, array.astype(np.float32))
    layer.replace_input_with(index, new)
