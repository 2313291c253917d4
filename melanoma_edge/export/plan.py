"""Decides, before anything is written, which nodes are 8-bit operators and which nodes others swallow.

A node is an 8-bit operator when all its inputs come from DequantizeLinear, only QuantizeLinear nodes of one scale read
its result, and its rule has a kernel for that. Its QuantizeLinear is then its output's scale, not an operator. A clamp
behind an operator becomes its fused activation, or nothing where the 8-bit range ends at the same bounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.errors import UnsupportedOperatorError
from melanoma_edge.tflite.affine import per_tensor, saturates
from melanoma_edge.tflite.rule import Rule

FUSED = {(0.0, np.inf): "RELU", (0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1"}
NOT_FUSED = "NONE"


@dataclass
class Plan:
    """integer: the 8-bit operators. lands: the value that holds a node's result after what it swallowed. fused: its
    activation. swallowed: nodes that are written as part of another. aliases: values equal to another.
    """

    integer: set[ir.Node] = field(default_factory=set)
    lands: dict[ir.Node, ir.Value] = field(default_factory=dict)
    fused: dict[ir.Node, str] = field(default_factory=dict)
    swallowed: set[ir.Node] = field(default_factory=set)
    aliases: dict[ir.Value, ir.Value] = field(default_factory=dict)


def make_plan(model: ir.Model, rules: Mapping[str, Rule]) -> Plan:
    """The plan for `model`.

    Raises UnsupportedOperatorError, naming the operator, the node and the known operators, when one has no rule.
    """
    plan = Plan()
    for node in model.graph:
        if graph.is_op(node, "QuantizeLinear", "DequantizeLinear") or node in plan.swallowed:
            continue
        if node.domain != "" or node.op_type not in rules:
            name = node.op_type if node.domain == "" else f"{node.domain}.{node.op_type}"
            raise UnsupportedOperatorError(
                f"{name} (node {node.name!r}) has no TFLite rule: known operators are {', '.join(sorted(rules))}"
            )
        _place(node, rules[node.op_type], plan)
    return plan


def _place(node: ir.Node, rule: Rule, plan: Plan) -> None:
    clamp = _clamp_behind(node)
    bounds = graph.clamp_bounds(clamp) if clamp is not None else None
    for end in (clamp, node):
        if end is None:
            continue
        quantizers = _quantizers(end.outputs[0])
        if not quantizers or not _all_dequantized(node):
            continue
        output = per_tensor(quantizers[0])
        cut = end is clamp and bounds is not None and not saturates(output, *bounds)
        if not rule.integer(node, output) or (cut and not (rule.fuses and bounds in FUSED)):
            continue
        plan.integer.add(node)
        plan.fused[node] = FUSED[bounds] if cut and bounds is not None else NOT_FUSED
        plan.lands[node] = quantizers[0].outputs[0]
        plan.swallowed |= set(quantizers) | ({clamp} if end is clamp and clamp is not None else set())
        plan.aliases |= {q.outputs[0]: quantizers[0].outputs[0] for q in quantizers[1:]}
        return
    plan.lands[node], plan.fused[node] = node.outputs[0], NOT_FUSED
    if rule.fuses and clamp is not None and bounds in FUSED:
        plan.lands[node], plan.fused[node] = clamp.outputs[0], FUSED[bounds]
        plan.swallowed.add(clamp)


def _clamp_behind(node: ir.Node) -> ir.Node | None:
    """The Relu or Clip that alone reads the result of `node`."""
    output = node.outputs[0]
    uses = list(output.uses())
    if len(uses) != 1 or uses[0].idx != 0 or output.is_graph_output():
        return None
    return uses[0].node if graph.clamp_bounds(uses[0].node) is not None else None


def _quantizers(value: ir.Value) -> list[ir.Node]:
    """The QuantizeLinear nodes that read `value`, if nothing else does and all have one scale and zero point."""
    nodes = [use.node for use in value.uses()]
    if not nodes or value.is_graph_output() or not all(graph.is_op(n, "QuantizeLinear") for n in nodes):
        return []
    return nodes if len({per_tensor(n).key for n in nodes}) == 1 else []


def _all_dequantized(node: ir.Node) -> bool:
    """Whether every tensor that `node` reads comes from a DequantizeLinear; clamp bounds and shapes do not count."""
    reads = node.inputs[:1] if graph.is_op(node, "Clip", "Reshape", "Squeeze", "Unsqueeze", "Pad") else node.inputs
    return all(v is None or graph.producer(v, "DequantizeLinear") is not None for v in reads)
