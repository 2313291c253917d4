"""Element by element: Add, Sub, Mul, Div of two tensors, either of which may be a constant."""

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from melanoma_edge.tflite import versions
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.rule import Rule, always

OPERATORS = {
    "Add": ("ADD", schema.AddOptionsT),
    "Div": ("DIV", schema.DivOptionsT),
    "Mul": ("MUL", schema.MulOptionsT),
    "Sub": ("SUB", schema.SubOptionsT),
}


def _binary(node: ir.Node, e: Emission) -> None:
    name, options = OPERATORS[node.op_type]
    inputs = [e.operand(node, 0), e.operand(node, 1)]
    output = e.output(node)
    version = None
    if name == "MUL" and e.is_integer(node):
        first, second, made = (float(e.quantizations[t].scale[0]) for t in (*inputs, output))
        version = versions.MUL_RESCALE_ABOVE_1 if first * second / made >= 1 else None
    e.op(name, inputs, [output], options(fusedActivationFunction=e.fused(node)), version)


RULES = {
    "Add": Rule(_binary, always, fuses=True),
    "Div": Rule(_binary, fuses=True),
    "Mul": Rule(_binary, always, fuses=True),
    "Sub": Rule(_binary, always, fuses=True),
}
