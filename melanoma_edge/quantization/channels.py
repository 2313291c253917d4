"""Values whose channels can be rescaled together without changing the function, between layers that absorb it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import operators
from melanoma_edge.quantization.prepare import array


@dataclass(frozen=True)
class ChannelClass:
    """One factor a channel: multiply the outputs of `makers`, divide in the weights of `readers`.

    makers: layers, or one Mul by a constant for each channel (`is_scaling`). values: every value that carries the
    factors. caps: upper bounds of the Clip nodes on the way, by output name.
    """

    channels: int
    values: tuple[str, ...]
    makers: tuple[ir.Node, ...]
    readers: tuple[ir.Node, ...]
    caps: Mapping[str, float]


def channel_classes(graph: ir.Graph) -> list[ChannelClass]:
    """Every class of values that runs from Conv and Gemm outputs to Conv and Gemm inputs only, in graph order.

    Relu and pools pass a positive factor, a sum passes it when all its operands carry it, a product when the other
    operand does not (a gate's, when `is_scaling` makes it). A Clip from 0 passes it while its upper bound is not
    reached (`ChannelClass.caps`). Anything else, and the graph's input and output, ends the search: those classes are
    left out.
    """
    parent: dict[str, str] = {}
    frozen: set[str] = set()
    caps: dict[str, float] = {}
    for node in graph:
        carried, stuck = _carries(node, caps)
        frozen.update(stuck)
        for name in carried:
            parent.setdefault(name, name)
        for name in carried[1:]:
            parent[_find(parent, name)] = _find(parent, carried[0])
    frozen.update(str(v.name) for v in [*graph.inputs, *graph.outputs])
    stopped = {_find(parent, name) for name in frozen if name in parent}
    found = [
        _class(graph, parent, caps, root)
        for root in dict.fromkeys(_find(parent, n) for n in parent)
        if root not in stopped
    ]
    return [group for group in found if len(group.makers) == 1 or not any(is_scaling(n) for n in group.makers)]


def is_scaling(node: ir.Node) -> bool:
    """Whether a node multiplies one pixel by a constant for each channel, `[1, C, 1, 1]`, that nothing else reads."""
    value, factors = node.inputs if len(node.inputs) == 2 else (None, None)
    if not operators.of(node).product or value is None or factors is None:
        return False
    alone = value.const_value is None and factors.const_value is not None and len(factors.uses()) == 1
    return alone and _dims(value)[1:] == _dims(factors)[1:] and len(_dims(value)) == 4 and _dims(value)[2:] == (1, 1)


def reads(node: ir.Node) -> NDArray[np.int64]:
    """Which input channel each weight `[O, I / group]` of a Conv or Gemm multiplies."""
    outputs, width = array(node.inputs[1]).shape[:2]
    group = node.attributes.get_int("group", 1)
    first = np.arange(outputs) // (outputs // group) * width
    return np.asarray(first[:, None] + np.arange(width), np.int64)


def _find(parent: Mapping[str, str], name: str) -> str:
    while parent[name] != name:
        name = parent[name]
    return name


def _is_layer(node: ir.Node) -> bool:
    constant = len(node.inputs) == 3 and all(v is not None and v.const_value is not None for v in node.inputs[1:])
    return operators.of(node).weighted and constant


def _dims(value: ir.Value) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else -1 for d in value.shape or ())


def _carries(node: ir.Node, caps: dict[str, float]) -> tuple[list[str], list[str]]:
    """The values of a node that carry one factor, and those that must have none; adds to `caps`."""
    variables = [v for v in node.inputs if v is not None and v.const_value is None]
    names, outputs = [str(v.name) for v in variables], [str(v.name) for v in node.outputs]
    if _is_layer(node) or is_scaling(node):
        return outputs, [] if _is_layer(node) else names
    operator, bounds = operators.of(node), operators.clamp_bounds(node)
    keeps = operator.homogeneous and operator.per_channel and operator.data_inputs == 1
    if len(variables) == 1 and (keeps or _is_flattening(node)):
        return names + outputs, []
    if bounds is not None:
        low, high = bounds
        if low == 0 or np.isinf(low):
            caps[outputs[0]] = high
            return names + outputs, [] if low == 0 or np.isinf(high) else names
    shapes = [_dims(v) for v in [*variables, *node.outputs]]
    if operator.homogeneous and operator.per_channel and len(set(names)) == 2 and len(set(shapes)) == 1:
        return names + outputs, []
    if operator.product and len(set(names)) == 2 and shapes.count(shapes[-1]) == 2:
        full = shapes.index(shapes[-1])
        maker = variables[1 - full].producer()
        scaled = names[full if maker is None or not is_scaling(maker) else 1 - full]
        return [scaled, *outputs], [n for n in names if n != scaled]
    return names + outputs, names + outputs


def _is_flattening(node: ir.Node) -> bool:
    """Whether a reshape only drops 1 x 1 pixels, so that channels stay channels."""
    if not operators.of(node).keeps_order or node.inputs[0] is None:
        return False
    before, after = _dims(node.inputs[0]), _dims(node.outputs[0])
    return len(before) == 4 and before[2:] == (1, 1) and after == before[:2]


def _class(graph: ir.Graph, parent: Mapping[str, str], caps: Mapping[str, float], root: str) -> ChannelClass:
    values = tuple(name for name in parent if _find(parent, name) == root)
    makers = tuple(n for n in graph if (_is_layer(n) or is_scaling(n)) and n.outputs[0].name in values)
    readers = tuple(n for n in graph if _is_layer(n) and n.inputs[0] is not None and n.inputs[0].name in values)
    channels = array(makers[0].inputs[1]).shape[1 if is_scaling(makers[0]) else 0]
    return ChannelClass(channels, values, makers, readers, {v: caps[v] for v in values if v in caps})
