"""Decides, before anything is written, which nodes are 8-bit operators, which others swallow, and what lies NHWC.

A node is an 8-bit operator when all its data comes from DequantizeLinear, only QuantizeLinear nodes of one scale read
its result, and TFLite has a kernel for that. Its QuantizeLinear is then its output's scale, not an operator. A clamp
behind an operator becomes its fused activation, or nothing where the 8-bit range ends at the same bounds.
"""

import onnx_ir as ir

from melanoma_edge import graph, operators
from melanoma_edge.operators import Operator, clamp_bounds
from melanoma_edge.operators.clip import NAMED as FUSED
from melanoma_edge.tflite.affine import per_tensor, saturates
from melanoma_edge.tflite.layout import RANK
from melanoma_edge.tflite.plan import NOT_FUSED, Plan


def make_plan(model: ir.Model) -> Plan:
    """The plan for `model`. Raises UnsupportedOperatorError, saying why, for an operator that is not accepted."""
    plan = Plan(images=_images(model))
    for node in model.graph:
        if _is_qdq(node):
            continue
        operator = operators.supported(node)
        if node not in plan.swallowed:
            _place(node, operator, plan)
    return plan


def _images(model: ir.Model) -> set[ir.Value]:
    """The 4-D values that lie channels last: what an operator on images reads or makes, the graph's own inputs and
    outputs, and all that lies as one of them does."""
    images = {v for v in (*model.graph.inputs, *model.graph.outputs) if _is_4d(v)}
    alike: dict[ir.Value, set[ir.Value]] = {}
    for node in model.graph:
        layout = "same" if _is_qdq(node) else operators.of(node).layout
        data = node.inputs if _is_qdq(node) else operators.data(node)
        values = [v for v in (*data, *node.outputs) if _is_4d(v) and not graph.is_constant(v)]
        if layout == "image":
            images.update(v for v in values if v is not None)
        elif layout == "same":
            group = {v for v in values if v is not None}
            for value in group:
                alike.setdefault(value, set()).update(group)
    waiting = list(images)
    while waiting:
        new = alike.get(waiting.pop(), set()) - images
        images |= new
        waiting += new
    return images


def _is_4d(value: ir.Value | None) -> bool:
    return value is not None and len(graph.dims(value) or ()) == RANK


def _is_qdq(node: ir.Node) -> bool:
    return graph.is_quantize(node) or graph.is_dequantize(node)


def _place(node: ir.Node, operator: Operator, plan: Plan) -> None:
    clamp = _clamp_behind(node)
    bounds = clamp_bounds(clamp) if clamp is not None else None
    for end in (clamp, node):
        if end is None:
            continue
        quantizers = _quantizers(end.outputs[0])
        if not quantizers or not _all_dequantized(node):
            continue
        output = per_tensor(quantizers[0])
        cut = end is clamp and bounds is not None and not saturates(output, *bounds)
        if not operator.kernel.takes(node, output) or (cut and not (operator.fuses and bounds in FUSED)):
            continue
        plan.integer.add(node)
        plan.fused[node] = FUSED[bounds] if cut and bounds is not None else NOT_FUSED
        plan.lands[node] = quantizers[0].outputs[0]
        plan.swallowed |= set(quantizers) | ({clamp} if end is clamp and clamp is not None else set())
        plan.aliases |= {q.outputs[0]: quantizers[0].outputs[0] for q in quantizers[1:]}
        return
    plan.lands[node], plan.fused[node] = node.outputs[0], NOT_FUSED
    if operator.fuses and clamp is not None and bounds in FUSED:
        plan.lands[node], plan.fused[node] = clamp.outputs[0], FUSED[bounds]
        plan.swallowed.add(clamp)


def _clamp_behind(node: ir.Node) -> ir.Node | None:
    """The clamp that alone reads the result of `node`."""
    output = node.outputs[0]
    uses = list(output.uses())
    if len(uses) != 1 or uses[0].idx != 0 or output.is_graph_output():
        return None
    return uses[0].node if clamp_bounds(uses[0].node) is not None else None


def _quantizers(value: ir.Value) -> list[ir.Node]:
    """The QuantizeLinear nodes that read `value`, if nothing else does and all have one scale and zero point."""
    nodes = [use.node for use in value.uses()]
    if not nodes or value.is_graph_output() or not all(graph.is_quantize(n) for n in nodes):
        return []
    return nodes if len({per_tensor(n).key for n in nodes}) == 1 else []


def _all_dequantized(node: ir.Node) -> bool:
    """Whether all data that `node` reads comes from a DequantizeLinear."""
    return all(v is None or graph.dequantizer(v) is not None for v in operators.data(node))
