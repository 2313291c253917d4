"""A permutation of channels behind a layer becomes the order of the layer's own channels: see `ending.reorder`.

As a layer of its own it would be the network's last one, which the quantiser keeps in float, and not the one that
matters.
"""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.export.passes import _layer

PHASE = "clean"
AFTER = ("canonical_gemm",)


def run(model: ir.Model) -> int:
    """Permute the rows of the layer in front and remove the permutation, in place; returns how many."""
    count = 0
    for node in list(model.graph):
        order = _order(node)
        layer = node.inputs[0].producer() if order is not None and node.inputs[0] is not None else None
        if order is None or layer is None or not graph.is_op(layer, "Gemm") or not _layer.is_layer(layer):
            continue
        if not graph.only_used_by(layer.outputs[0], node):
            continue
        _layer.reorder_output(layer, order)
        graph.replace(node, layer.outputs[0])
        count += 1
    return count


def _order(node: ir.Node) -> NDArray[np.int64] | None:
    """Which channel each output of `node` is, when it is a Gemm that does nothing else."""
    if not graph.is_op(node, "Gemm") or not _layer.is_layer(node):
        return None
    weights, bias = graph.constant(node.inputs[1]), graph.constant(node.inputs[2]) if len(node.inputs) > 2 else None
    if weights is None or weights.shape[0] != weights.shape[1] or (bias is not None and np.any(bias)):
        return None
    order = weights.argmax(axis=1)
    return order if np.array_equal(weights, np.eye(len(weights))[order]) and len(set(order)) == len(order) else None
