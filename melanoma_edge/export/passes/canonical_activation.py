"""One form for clamps: `Relu` for max(x, 0), `Clip` with both bounds for the rest, whatever wrote them.

Emitter and quantiser look for these two when they fuse a clamp into the operator before it.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import clamp_bounds

PHASE = "clean"
AFTER = ("drop_noop",)


CLAMPS = ("Clip", "Max", "Min", "Relu")


def run(model: ir.Model) -> int:
    """Rewrite clamps in place, joining one that follows another; returns how many changed."""
    return sum(_rewrite(node) for node in list(model.graph) if graph.is_op(node, *CLAMPS))


def _rewrite(node: ir.Node) -> bool:
    bounds = _bounds(node)
    if bounds is None:
        return False
    data, low, high = bounds
    inner = data.producer()
    if inner is not None and graph.is_op(inner, *CLAMPS) and graph.only_used_by(data, node):
        nested = _bounds(inner)
        if nested is not None:
            data, low, high = nested[0], min(max(nested[1], low), high), max(min(nested[2], high), low)
    is_relu = (low, high) == (0.0, np.inf)
    if data is node.inputs[0] and node.op_type == ("Relu" if is_relu else "Clip"):
        return False
    graph.replace(node, _clamp(node, data, low, high))
    return True


def _clamp(node: ir.Node, data: ir.Value, low: float, high: float) -> ir.Value:
    shape = graph.dims(node.outputs[0])
    if (low, high) == (0.0, np.inf):
        return graph.insert(node, "Relu", [data], shape)
    owner = graph.graph_of(node)
    bounds = [
        graph.add_constant(owner, name, np.array(bound, np.float32)) if np.isfinite(bound) else None
        for name, bound in (("low", low), ("high", high))
    ]
    return graph.insert(node, "Clip", [data, *bounds], shape)


def _bounds(node: ir.Node) -> tuple[ir.Value, float, float] | None:
    """(operand, lower, upper) of a clamp with constant scalar bounds; None for anything else."""
    bounds = clamp_bounds(node)
    if bounds is not None and node.inputs[0] is not None:
        return node.inputs[0], *bounds
    if not graph.is_op(node, "Max", "Min") or len(node.inputs) != 2:
        return None
    operands = graph.data_and_constant(node)
    if operands is None or operands[1].size != 1:
        return None
    data, bound = operands[0], float(operands[1].reshape(()))
    if graph.dims(data) is None or graph.dims(data) != graph.dims(node.outputs[0]):
        return None
    return (data, bound, np.inf) if node.op_type == "Max" else (data, -np.inf, bound)
