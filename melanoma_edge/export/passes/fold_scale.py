"""Push a multiplication by a positive constant forward, through operators that are linear, into the weights behind.

The rewrites of hard-swish and hard-sigmoid leave one; it would cost a pass over the activations and an 8-bit rounding.
A factor is pushed only if every path ends in a layer that takes it, so the function stays exactly the same; where a
residual sum is on the way, the layer on its other side is divided by the factor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph, operators
from melanoma_edge.export.passes import _layer

PHASE = "integer"
AFTER = ("hard_swish", "hard_sigmoid")


@dataclass(frozen=True)
class _Edit:
    """A layer whose weights take `factor`, on the side of its input or of its output."""

    layer: ir.Node
    side: Literal["input", "output"]
    factor: float


def run(model: ir.Model) -> int:
    """Push every constant factor that can be pushed, in place; returns how many."""
    count = 0
    for node in list(model.graph):
        factor = _factor(node)
        edits = _push(node, factor) if factor is not None else None
        if edits is None:
            continue
        for edit in edits:
            if edit.side == "input":
                _layer.scale_input(edit.layer, edit.factor)
            else:
                _layer.scale_output(edit.layer, np.float64(edit.factor), np.float64(0))
        data = node.inputs[0] if graph.constant(node.inputs[0]) is None else node.inputs[1]
        if data is not None:
            graph.replace(node, data)
            count += 1
    return count


def _factor(node: ir.Node) -> float | None:
    """The positive number that `node` multiplies by, if that is all it does."""
    operands = graph.data_and_constant(node) if operators.of(node).product else None
    if operands is None or operands[1].size != 1 or operands[1].ndim > len(operands[0].shape or ()):
        return None
    number = float(operands[1].reshape(()))
    return number if number > 0 else None


def _push(start: ir.Node, factor: float) -> list[_Edit] | None:
    """What the layers behind `start` must take over; None when some path leads past all of them."""
    factors = {start.outputs[0]: factor}
    edits: list[_Edit] = []
    for node in graph.graph_of(start):
        if not any(v in factors for v in node.inputs):
            continue
        result = _through(node, factors, edits)
        if result is None or len(node.outputs) != 1:
            return None
        if result != 1.0:
            factors[node.outputs[0]] = result
    return None if any(v.is_graph_output() for v in factors) else edits


def _through(node: ir.Node, factors: Mapping[ir.Value, float], edits: list[_Edit]) -> float | None:
    """The factor of `node`'s output, given its inputs' and adding to `edits`; None when it cannot pass."""
    given = [1.0 if v is None else factors.get(v, 1.0) for v in node.inputs]
    operator = operators.of(node)
    if _layer.is_layer(node):
        edits.append(_Edit(node, "input", given[0]))
        return 1.0
    if operator.product:
        return given[0] * given[1]
    if operator.homogeneous:
        return given[0] if operator.data_inputs == 1 else _through_sum(node, given, edits)
    return None


def _through_sum(node: ir.Node, given: list[float], edits: list[_Edit]) -> float | None:
    """Bring all operands to one factor, by dividing the output of a layer that feeds only this sum."""
    target = max(set(given) - {1.0})
    for value, factor in zip(node.inputs, given, strict=True):
        if factor == target:
            continue
        layer = None if value is None else value.producer()
        if factor != 1.0 or value is None or layer is None or not graph.only_used_by(value, node):
            return None
        if not _layer.is_layer(layer):
            return None
        edits.append(_Edit(layer, "output", 1 / target))
    return target
