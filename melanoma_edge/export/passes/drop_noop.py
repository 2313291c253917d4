"""Remove operators that change nothing at inference: each would cost a copy, or hide a pattern from a later pass."""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph, operators

PHASE = "clean"
AFTER = ("fold_constants",)


def run(model: ir.Model) -> int:
    """Bypass every no-op in place; returns how many."""
    count = 0
    for node in list(model.graph):
        if _is_noop(node) and graph.can_bypass(node) and node.inputs[0] is not None:
            graph.replace(node, node.inputs[0])
            count += 1
    return count


def _is_noop(node: ir.Node) -> bool:
    if graph.is_op(node, "Identity"):
        return True
    if graph.is_op(node, "Dropout"):
        return not node.outputs[1:] and graph.scalar(node.inputs[2] if len(node.inputs) > 2 else None) in (None, 0.0)
    if graph.is_op(node, "Pad"):
        pads = graph.constant(node.inputs[1])
        return pads is not None and not np.any(pads)
    if (operators.of(node).keeps_order or graph.is_op(node, "Expand")) and node.inputs[0] is not None:
        shape = graph.dims(node.inputs[0])
        return shape is not None and shape == graph.dims(node.outputs[0])
    if graph.is_op(node, "Cast"):
        return node.inputs[0] is not None and node.inputs[0].dtype == node.outputs[0].dtype is not None
    return False
