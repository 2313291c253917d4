"""Write hard-sigmoid, clip(alpha x + beta, 0, 1), as a clip alone wherever a layer in front can take alpha and beta.

The clip is then the saturation of that layer's 8-bit output: a squeeze-excite gate costs no operator. Where no layer
can take them, clip(x + beta/alpha, 0, 1/alpha) and a scalar Mul by alpha stay, which have integer kernels.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.export.passes import _layer
from melanoma_edge.operators.hard_sigmoid import line

PHASE = "integer"


def run(model: ir.Model) -> int:
    """Rewrite every HardSigmoid with a positive slope in place; returns how many."""
    count = 0
    for node in list(model.graph):
        if graph.is_op(node, "HardSigmoid") and line(node)[0] > 0:
            graph.replace(node, _rewritten(node))
            count += 1
    return count


def _rewritten(node: ir.Node) -> ir.Value:
    alpha, beta = line(node)
    data = node.inputs[0]
    if data is None:
        raise ValueError(f"HardSigmoid {node.name} has no input")
    layer = data.producer()
    if layer is not None and graph.only_used_by(data, node) and _layer.is_layer(layer):
        _layer.scale_output(layer, np.float64(alpha), np.float64(beta))
        return _clip(node, data, 1.0)
    owner, shape = graph.graph_of(node), graph.dims(node.outputs[0])
    shift = graph.add_constant(owner, "shift", np.array(beta / alpha, np.float32))
    slope = graph.add_constant(owner, "slope", np.array(alpha, np.float32))
    clipped = _clip(node, graph.insert(node, "Add", [data, shift], shape), 1 / alpha)
    return graph.insert(node, "Mul", [clipped, slope], shape)


def _clip(before: ir.Node, data: ir.Value, high: float) -> ir.Value:
    owner = graph.graph_of(before)
    bounds = [graph.add_constant(owner, n, np.array(v, np.float32)) for n, v in (("zero", 0), ("top", high))]
    return graph.insert(before, "Clip", [data, *bounds], graph.dims(before.outputs[0]))
