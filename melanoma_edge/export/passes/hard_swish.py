"""Write hard-swish as Mul(x, Clip(x + 3, 0, 6)) / 6: ADD and MUL have integer kernels everywhere, HARD_SWISH has none.

The clip is the saturation of the addition's own 8-bit output (scale 6/255), so it costs nothing, and `fold_scale`
pushes the division into the weights behind. XNNPACK has no INT8 HARD_SWISH: each would split its partition.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph

PHASE = "integer"


def run(model: ir.Model) -> int:
    """Rewrite every HardSwish in place; returns how many."""
    nodes = [node for node in model.graph if graph.is_op(node, "HardSwish")]
    for node in nodes:
        data, shape = node.inputs[0], graph.dims(node.outputs[0])
        product = graph.insert(node, "Mul", [data, relu6_plus_3(node, data)], shape)
        graph.replace(node, divide_by_6(node, product))
    return len(nodes)


def relu6_plus_3(before: ir.Node, data: ir.Value | None) -> ir.Value:
    """Clip(data + 3, 0, 6), placed before the node `before`, which has the shape of `data`."""
    owner, shape = graph.graph_of(before), graph.dims(before.outputs[0])
    three, low, high = (
        graph.add_constant(owner, name, np.array(number, np.float32))
        for name, number in (("three", 3), ("zero", 0), ("six", 6))
    )
    return graph.insert(before, "Clip", [graph.insert(before, "Add", [data, three], shape), low, high], shape)


def divide_by_6(before: ir.Node, value: ir.Value) -> ir.Value:
    """value / 6 as a Mul by a scalar, which `fold_scale` looks for."""
    sixth = graph.add_constant(graph.graph_of(before), "sixth", np.array(1 / 6, np.float32))
    return graph.insert(before, "Mul", [value, sixth], graph.dims(before.outputs[0]))
