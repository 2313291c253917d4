"""Put hard-sigmoid and hard-swish back together where an exporter wrote them as add, clip, divide and multiply.

The float file then holds one HARD_SWISH, and the integer passes know what they rewrite. The forms that occur are
relu6(x + 3) / 6, x * relu6(x + 3) / 6 and x * (relu6(x + 3) / 6) (Howard et al., arXiv:1905.02244, section 5.2).
"""

from collections.abc import Callable

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators.hard_sigmoid import line

PHASE = "clean"
AFTER = ("canonical_activation",)

TOLERANCE = 1e-6
ALPHA, BETA = 1 / 6, 0.5


def run(model: ir.Model) -> int:
    """Rewrite decomposed forms in place; returns how many. HardSwish exists since opset 14."""
    count = 0
    for node in list(model.graph):
        count += _hard_sigmoid(node)
    if model.opset_imports.get("", 0) >= 14:
        for node in list(model.graph):
            count += _hard_swish(node)
    return count


def _hard_sigmoid(node: ir.Node) -> bool:
    data = _relu6_plus_3(_sixth(node))
    if data is None:
        return False
    attributes = {"alpha": ALPHA, "beta": BETA}
    graph.replace(node, graph.insert(node, "HardSigmoid", [data], graph.dims(node.outputs[0]), attributes))
    return True


def _hard_swish(node: ir.Node) -> bool:
    product = graph.producer(_sixth(node), "Mul")
    data = _gated(product, _relu6_plus_3) if product is not None else _gated(node, _hard_sigmoid_operand)
    if data is None:
        return False
    graph.replace(node, graph.insert(node, "HardSwish", [data], graph.dims(node.outputs[0])))
    return True


def _gated(node: ir.Node, operand_of: Callable[[ir.Value | None], ir.Value | None]) -> ir.Value | None:
    """x when `node` is x * gate(x), in either order."""
    if not graph.is_op(node, "Mul"):
        return None
    first, second = node.inputs
    for data, gate in ((first, second), (second, first)):
        if data is not None and operand_of(gate) is data:
            return data
    return None


def _sixth(node: ir.Node) -> ir.Value | None:
    """v when `node` is v / 6."""
    if not graph.is_op(node, "Mul", "Div"):
        return None
    operands = graph.data_and_constant(node)
    if operands is None or operands[1].size != 1 or (node.op_type == "Div" and operands[0] is not node.inputs[0]):
        return None
    factor = float(operands[1].reshape(()))
    if node.op_type == "Div":
        factor = 1 / factor if factor else 0.0
    return operands[0] if abs(factor - ALPHA) < TOLERANCE else None


def _relu6_plus_3(value: ir.Value | None) -> ir.Value | None:
    """x when `value` is Clip(x + 3, 0, 6)."""
    clip = graph.producer(value, "Clip")
    if clip is None or len(clip.inputs) != 3 or [graph.scalar(v) for v in clip.inputs[1:]] != [0.0, 6.0]:
        return None
    add = graph.producer(clip.inputs[0], "Add")
    operands = None if add is None else graph.data_and_constant(add)
    if operands is None or operands[1].size != 1 or float(operands[1].reshape(())) != 3.0:
        return None
    return operands[0]


def _hard_sigmoid_operand(value: ir.Value | None) -> ir.Value | None:
    """x when `value` is HardSigmoid(x) with hard-swish's constants."""
    node = graph.producer(value, "HardSigmoid")
    if node is None:
        return None
    alpha, beta = line(node)
    return node.inputs[0] if abs(alpha - ALPHA) < TOLERANCE and abs(beta - BETA) < TOLERANCE else None
