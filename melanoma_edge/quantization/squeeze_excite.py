"""A factor for each channel of a squeeze-and-excite gate, so that equalisation reaches the products behind swish.

Swish is not homogeneous: no factor of a channel passes x * sigmoid(x), so its channels keep their ranges, and the
product with the gate (Hu et al., arXiv:1709.01507) inherits them. The gate is one number a channel: multiplied there, a
factor costs C products and passes on to the large product and to the layer that reads it.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import operators
from melanoma_edge.quantization.channels import channel_classes, is_scaling
from melanoma_edge.quantization.prepare import array, set_array

PIXEL = (1, 1)


def open_gates(model: ir.Model) -> int:
    """Put a Mul by ones `[1, C, 1, 1]` behind every gate `[N, C, 1, 1]` whose product equalisation does not reach
    otherwise and reaches now. Returns how many; the function stays."""
    reached = _reached(model.graph)
    added = [_insert(model.graph, *found) for n in list(model.graph) if (found := _gate(n)) and _made(n) not in reached]
    reached = _reached(model.graph)
    kept = [node for node in added if _made(node) in reached]
    for node in added:
        if node not in kept:
            _remove(model.graph, node)
    return len(kept)


def close_gates(model: ir.Model) -> None:
    """Take out the Muls that multiply by ones only."""
    for node in list(model.graph):
        if is_scaling(node) and (array(node.inputs[1]) == 1).all():
            _remove(model.graph, node)


def _reached(graph: ir.Graph) -> set[str]:
    return {name for group in channel_classes(graph) for name in group.values}


def _made(node: ir.Node) -> str:
    return str(node.outputs[0].name)


def _gate(node: ir.Node) -> tuple[ir.Node, int] | None:
    """A product of two values, and which operand is a gate."""
    unknown = any(v is None or v.const_value is not None or v.shape is None for v in node.inputs)
    if not operators.of(node).product or unknown:
        return None
    shapes = [tuple(v.shape) for v in node.inputs if v is not None and v.shape is not None]
    gates = [i for i, shape in enumerate(shapes) if len(shape) == 4 and shape[2:] == PIXEL]
    return (node, gates[0]) if len(gates) == 1 and isinstance(shapes[gates[0]][1], int) else None


def _insert(graph: ir.Graph, product: ir.Node, operand: int) -> ir.Node:
    gate = product.inputs[operand]
    assert gate is not None and gate.shape is not None
    ones = ir.val(f"{product.name}_factors", ir.DataType.FLOAT)
    set_array(ones, np.ones((1, int(str(gate.shape[1])), *PIXEL), np.float32))
    graph.register_initializer(ones)
    scaled = ir.val(f"{product.name}_gate", ir.DataType.FLOAT, gate.shape)
    node = ir.node("Mul", [gate, ones], outputs=[scaled], name=f"{product.name}_scaling")
    graph.insert_before(product, node)
    product.replace_input_with(operand, scaled)
    return node


def _remove(graph: ir.Graph, node: ir.Node) -> None:
    gate, ones = node.inputs
    assert gate is not None and ones is not None
    node.outputs[0].replace_all_uses_with(gate)
    graph.remove(node, safe=True)
    del graph.initializers[str(ones.name)]
