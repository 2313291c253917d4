"""Rounding to a grid by batch normalisations of factor 1, which ONNX Runtime runs in its blocked layout (NCHWc).

x + C - C rounds x (see `quantization.grids`). A sum with a constant leaves that layout: the feature map is reordered
before the two sums and back behind them, 7 % of MobileNetV2's time in `mixed_30`. A batch normalisation that adds C is
the same float32 sum, to the bit. Only behind a Relu or Clip, or the product of two blocked maps (hard-swish): ONNX
Runtime would fold one behind a convolution into its weights, where the sum rounds in another place.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import clamp_bounds

PHASE = "onnxruntime"
AFTER = ("aligned_depthwise", "blocked_addition")  # the former knows no batch normalisation


def run(model: ir.Model) -> int:
    """Replace every pair of sums that rounds what a Relu or Clip makes, in place; returns how many."""
    count = 0
    for back in [node for node in model.graph if graph.is_op(node, "Sub")]:
        there = graph.producer(back.inputs[0], "Add")
        if there is None or not _rounds(there, back):
            continue
        value, offset = there.inputs[0], graph.scalar(there.inputs[1])
        shape = None if value is None else graph.dims(value)
        if value is None or shape is None or offset is None:
            continue
        ones, zeros, up, down = (
            graph.add_constant(model.graph, f"{value.name}_{name}", np.full(shape[1], number, np.float32))
            for name, number in (("ones", 1.0), ("zeros", 0.0), ("up", offset), ("down", -offset))
        )
        for bias in (up, down):
            inputs = [value, ones, bias, zeros, ones]
            value = graph.insert(there, "BatchNormalization", inputs, shape, {"epsilon": 0.0})
        graph.replace(back, value)
        count += 1
    return count


def _rounds(there: ir.Node, back: ir.Node) -> bool:
    """Whether the two nodes make x + C - C of a blocked map, no convolution's own, and nothing else reads x + C."""
    value, offset = there.inputs[0], graph.scalar(there.inputs[1])
    maker = value.producer() if value is not None else None
    if value is None or maker is None or len(graph.dims(value) or ()) != 4:
        return False
    blocked = _saturates(maker) or (
        graph.is_op(maker, "Mul") and all(v is not None and _is_blocked(v, value) for v in maker.inputs)
    )
    alike = offset is not None and offset == graph.scalar(back.inputs[1])
    return blocked and alike and graph.only_used_by(there.outputs[0], back)


def _saturates(node: ir.Node) -> bool:
    return clamp_bounds(node) is not None


def _is_blocked(value: ir.Value, like: ir.Value) -> bool:
    """Whether a convolution, or a Relu or Clip joined with one, makes `value`, which has the shape of `like`."""
    maker = value.producer()
    if maker is not None and _saturates(maker):
        maker = maker.inputs[0].producer() if maker.inputs[0] is not None else None
    return maker is not None and graph.is_op(maker, "Conv") and graph.dims(value) == graph.dims(like)
