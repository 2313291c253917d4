"""HardSigmoid: alpha * x + beta clipped to [0, 1]. No 8-bit kernel; the pass `hard_sigmoid` writes it otherwise."""

import numpy as np
import onnx_ir as ir

from melanoma_edge.operators import Apply, Operator
from melanoma_edge.operators._attributes import need
from melanoma_edge.operators.clip import write_clamp
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission


def line(node: ir.Node) -> tuple[float, float]:
    """(alpha, beta) of a HardSigmoid."""
    return node.attributes.get_float("alpha", 0.2), node.attributes.get_float("beta", 0.5)


def _meaning(node: ir.Node) -> Apply:
    alpha, beta = line(node)
    return lambda inputs: (alpha * need(inputs[0]) + beta).clamp(0, 1)


def _write(node: ir.Node, e: Emission) -> None:
    """As relu6(x + 3) / 6 for the usual constants, two operators."""
    alpha, beta = line(node)
    data, output = e.input(node, 0), e.output(node)
    name, shape = e.name(output), e.shape(data)
    constant = e.builder.constant
    if abs(alpha - 1 / 6) < 1e-6 and abs(beta - 0.5) < 1e-6:
        shifted = e.tensor(f"{name}_relu6", shape)
        relu6 = schema.AddOptionsT(fusedActivationFunction=schema.ActivationFunctionType.RELU6)
        e.op("ADD", [data, constant("3", np.array(3, np.float32))], [shifted], relu6)
        e.op("MUL", [shifted, constant("1/6", np.array(1 / 6, np.float32))], [output], schema.MulOptionsT())
        return
    scaled, shifted = e.tensor(f"{name}_scaled", shape), e.tensor(f"{name}_shifted", shape)
    e.op("MUL", [data, constant(f"{alpha:g}", np.array(alpha, np.float32))], [scaled], schema.MulOptionsT())
    e.op("ADD", [scaled, constant(f"{beta:g}", np.array(beta, np.float32))], [shifted], schema.AddOptionsT())
    write_clamp(e, shifted, output, 0.0, 1.0)


OPERATORS = {"HardSigmoid": Operator(_meaning, _write, per_channel=True)}
