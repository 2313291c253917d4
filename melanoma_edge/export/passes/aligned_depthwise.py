"""Depthwise 8-bit convolutions of 72 channels as ones of 80: ONNX Runtime has fast kernels for multiples of 16 alone.

MLAS takes its depthwise kernel for symmetric weights when 16 divides the channels on x86, 8 on ARM64
(`MlasConvSymPackWSize` in onnxruntime/core/mlas/lib/convsym.cpp); for other numbers a generic one takes 1.7 times as
long. The new channels have weights of zero wherever they are made and read, so that every integer stays what it was.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph, operators

PHASE = "onnxruntime"

ALIGNMENT = 16
MOST = 1 / 3  # new channels by old ones: more would cost the layers around what the kernel gains


@dataclass
class _Region:
    """All that has the same channels: `values`, the layers that make them, read them or do both (depthwise)."""

    channels: int
    values: list[ir.Value] = field(default_factory=list)
    makers: list[ir.Node] = field(default_factory=list)
    readers: list[ir.Node] = field(default_factory=list)
    operands: list[tuple[ir.Node, int, int]] = field(default_factory=list)  # of elementwise nodes: index, channel axis


def run(model: ir.Model) -> int:
    """Widen every region around such a convolution, in place; returns how many."""
    count = 0
    for node in list(model.graph):
        channels = _channels(node)
        if channels is None or channels % ALIGNMENT == 0 or -channels % ALIGNMENT > MOST * channels:
            continue
        region = _region(node, channels)
        if region is not None:
            _widen(region)
            count += 1
    return count


def _channels(node: ir.Node) -> int | None:
    """The channels of a depthwise convolution of integers; None for the rest."""
    depthwise = graph.is_op(node, "Conv") and _is_depthwise(node)
    quantized = depthwise and graph.dequantizer(node.inputs[0]) is not None
    return node.attributes.get_int("group", 1) if quantized else None


def _is_depthwise(conv: ir.Node) -> bool:
    weights = conv.inputs[1]
    group = conv.attributes.get_int("group", 1)
    return group > 1 and weights is not None and (graph.dims(weights) or ())[:2] == (group, 1)


def _region(start: ir.Node, channels: int) -> _Region | None:
    """What shares the channels of `start`; None when they reach an operator that mixes or shows them."""
    region = _Region(channels)
    waiting = [start.inputs[0], start.outputs[0]]
    while waiting:
        value = waiting.pop()
        if value is None or value in region.values:
            continue
        maker = value.producer()
        if maker is None or value.is_graph_output() or (graph.dims(value) or (0, 0))[1:2] != (channels,):
            return None
        region.values.append(value)
        for node in (maker, *(use.node for use in value.uses())):
            more = _visit(node, value, region)
            if more is None:
                return None
            waiting += more
    return region


def _visit(node: ir.Node, value: ir.Value, region: _Region) -> list[ir.Value] | None:
    """Enter what `node` is to `value`; the values that it adds to the region, or None when it ends the search."""
    if graph.is_op(node, "Conv"):
        depthwise, grouped = _is_depthwise(node), node.attributes.get_int("group", 1) > 1
        constant = all(v is None or _source(v) is not None for v in node.inputs[1:])
        if not constant or (grouped and not depthwise):
            return None
        known = region.makers if depthwise or node.outputs[0] is value else region.readers
        if node not in known:
            known.append(node)
        return [v for v in (node.inputs[0], node.outputs[0]) if v is not None] if depthwise else []
    qdq, operator = graph.is_quantize(node) or graph.is_dequantize(node), operators.of(node)
    if not qdq and not operator.per_channel:
        return None
    computed = [v for v in node.inputs if v is not None and _source(v) is None]
    for index, operand in enumerate(node.inputs):
        if operand is None or operand in computed:
            continue
        shape = graph.dims(operand) or ()
        if not qdq and shape and not (operator.homogeneous or operator.product):
            return None  # zeros among the constants would not make numbers that weights of zero take away
        axis = len(shape) - 3  # of the channels, as ONNX broadcasts
        if axis >= 0 and shape[axis] == region.channels and (node, index, axis) not in region.operands:
            region.operands.append((node, index, axis))
    return [*computed, *node.outputs]


def _source(value: ir.Value) -> ir.Value | None:
    """The constant behind a value that is one, or is one through DequantizeLinear."""
    dequantize = graph.dequantizer(value)
    source = value if dequantize is None else dequantize.inputs[0]
    return source if graph.constant(source) is not None else None


def _widen(region: _Region) -> None:
    extra = -region.channels % ALIGNMENT
    for node in region.makers:
        if _is_depthwise(node):
            node.attributes["group"] = ir.AttrInt64("group", region.channels + extra)
        for index in range(1, len(node.inputs)):
            _pad(node, index, 0, extra)
    for node in region.readers:
        _pad(node, 1, 1, extra)
    for node, index, axis in region.operands:
        _pad(node, index, axis, extra)
    for value in region.values:
        sizes = list(graph.dims(value) or ())
        sizes[1] = region.channels + extra
        value.shape = ir.Shape(sizes)


def _pad(node: ir.Node, index: int, axis: int, extra: int) -> None:
    """Give the constant that is operand `index` of `node` zeros behind its end along `axis`."""
    value = node.inputs[index]
    if value is None:
        return
    dequantize = graph.dequantizer(value)
    if dequantize is None:
        node.replace_input_with(index, _padded(node, value, axis, extra))
        return
    integers, *parameters = (v for v in dequantize.inputs if v is not None)
    channels = dequantize.attributes.get_int("axis", 1)
    if axis == channels:  # scales go on, so that those of bias and weights still fit each other
        parameters = [_padded(node, v, 0, extra, mode="edge") if v.shape else v for v in parameters]
    inputs = [_padded(node, integers, axis, extra), *parameters]
    wide = graph.insert(node, graph.DEQUANTIZE, inputs, graph.dims(inputs[0]), {"axis": channels})
    node.replace_input_with(index, wide)


def _padded(
    node: ir.Node, value: ir.Value, axis: int, extra: int, *, mode: Literal["constant", "edge"] = "constant"
) -> ir.Value:
    array = graph.constant(value)
    assert array is not None, "not a constant"  # `_visit` looked
    widths = [(0, extra if i == axis else 0) for i in range(array.ndim)]
    return graph.add_constant(graph.graph_of(node), f"{value.name}_padded", np.pad(array, widths, mode=mode))
