"""Functions of one tensor: clamps, sigmoid, tanh, hard-swish, hard-sigmoid, leaky and parametric ReLU, softmax."""

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from melanoma_edge import graph
from melanoma_edge.operators.shape import settle
from melanoma_edge.tflite.affine import Integers, saturates
from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.emission import Emission, constant_input
from melanoma_edge.tflite.errors import unsupported
from melanoma_edge.tflite.rule import Rule

CLAMPS = {(0.0, np.inf): "RELU", (0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1"}


def _clamp(node: ir.Node, e: Emission) -> None:
    """In float a clamp; in 8 bits (see `_is_saturation`) the change of scale that saturates at the same bounds."""
    if e.is_integer(node):
        settle(e, node, e.input(node, 0))
        return
    bounds = graph.clamp_bounds(node)
    if bounds is None:
        raise unsupported(node, "its bounds must be constants")
    write_clamp(e, e.input(node, 0), e.output(node), *bounds)


def write_clamp(e: Emission, data: int, output: int, low: float, high: float) -> None:
    """Write output = min(max(data, low), high) in float."""
    if (low, high) in CLAMPS:
        e.op(CLAMPS[low, high], [data], [output])
        return
    bounded = [("MAXIMUM", low)] if np.isfinite(low) else []
    bounded += [("MINIMUM", high)] if np.isfinite(high) or not bounded else []
    for n, (name, bound) in enumerate(bounded):
        last = n == len(bounded) - 1
        result = output if last else e.like(data, f"{e.name(output)}_low", e.shape(data))
        limit = e.builder.constant(f"{bound:g}", np.array(bound, np.float32))
        e.op(name, [data, limit], [result], schema.MaximumMinimumOptionsT())
        data = result


def _is_saturation(node: ir.Node, output: Quantization) -> bool:
    bounds = graph.clamp_bounds(node)
    return bounds is not None and saturates(output, *bounds)


def _plain(name: str) -> Rule:
    def write(node: ir.Node, e: Emission) -> None:
        e.op(name, [e.input(node, 0)], [e.output(node)])

    return Rule(write)


def _sigmoid(node: ir.Node, e: Emission) -> None:
    e.op("LOGISTIC", [e.input(node, 0)], [e.output(node)])


def _tanh(node: ir.Node, e: Emission) -> None:
    e.op("TANH", [e.input(node, 0)], [e.output(node)])


def _is_sigmoid_scale(node: ir.Node, output: Quantization) -> bool:
    """LOGISTIC's output is 1/256 from -128 in every TFLite kernel; with another scale it runs in float."""
    return float(output.scale[0]) == 1 / 256 and int(output.zero_point[0]) == -128


def _is_tanh_scale(node: ir.Node, output: Quantization) -> bool:
    return float(output.scale[0]) == 1 / 128 and int(output.zero_point[0]) == 0


def _hard_sigmoid(node: ir.Node, e: Emission) -> None:
    """alpha * x + beta clipped to [0, 1]: as relu6(x + 3) / 6 for the usual constants, two operators."""
    alpha, beta = node.attributes.get_float("alpha", 0.2), node.attributes.get_float("beta", 0.5)
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


def _leaky_relu(node: ir.Node, e: Emission) -> None:
    options = schema.LeakyReluOptionsT(alpha=node.attributes.get_float("alpha", 0.01))
    e.op("LEAKY_RELU", [e.input(node, 0)], [e.output(node)], options)


def _leaky_relu_in_limits(node: ir.Node, output: Quantization) -> bool:
    """XNNPACK's limits on the input's and the negative slope's scale ratio (delegate README, LEAKY_RELU)."""
    source = node.inputs[0].producer() if node.inputs[0] is not None else None
    scale = graph.scalar(source.inputs[1]) if source is not None else None
    if scale is None:
        return False
    ratio = scale / float(output.scale[0])
    slope = ratio * node.attributes.get_float("alpha", 0.01)
    return 2**-8 <= ratio <= 2**7 and 2**-8 <= abs(slope) < 2**7


def _prelu(node: ir.Node, e: Emission) -> None:
    slope = constant_input(node, 1)
    if isinstance(slope, Integers):
        slope = slope.real()
    data = e.input(node, 0)
    rank = len(e.shape(data))
    if rank != 4 or (slope.size != 1 and slope.size != e.shape(data)[3]):
        raise unsupported(node, f"only one slope a channel of an image is written, found slopes {slope.shape}")
    per_channel = np.broadcast_to(slope.reshape(-1), (e.shape(data)[3],)).reshape(1, 1, -1)
    e.op("PRELU", [data, e.builder.constant(f"{node.name}_slope", per_channel)], [e.output(node)])


def _softmax(node: ir.Node, e: Emission) -> None:
    dims = graph.dims(node.outputs[0]) or ()
    axis = node.attributes.get_int("axis", -1) % max(len(dims), 1)
    if axis != (1 if len(dims) == 4 else len(dims) - 1):
        raise unsupported(node, f"SOFTMAX works along the channels, found axis {axis} of shape {dims}")
    e.op("SOFTMAX", [e.input(node, 0)], [e.output(node)], schema.SoftmaxOptionsT(beta=1.0))


RULES = {
    "Clip": Rule(_clamp, _is_saturation),
    "HardSigmoid": Rule(_hard_sigmoid),
    "HardSwish": _plain("HARD_SWISH"),
    "LeakyRelu": Rule(_leaky_relu, _leaky_relu_in_limits),
    "PRelu": Rule(_prelu),
    "Relu": Rule(_clamp, _is_saturation),
    "Sigmoid": Rule(_sigmoid, _is_sigmoid_scale),
    "Softmax": Rule(_softmax),
    "Tanh": Rule(_tanh, _is_tanh_scale),
}
