"""Gemm and MatMul: a matrix times constant weights, as FULLY_CONNECTED or a 1x1 CONV_2D."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import ALL, Apply, Kernel, Operator
from melanoma_edge.operators._attributes import given, need, not_constant, shape
from melanoma_edge.operators.conv import RATIO, with_window
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import reshape_into, reshaped
from melanoma_edge.tflite.padding import Window
from melanoma_edge.tflite.weights import Weights, has_integer_weights, read_weights

if TYPE_CHECKING:
    from torch import Tensor


def _refuses(node: ir.Node) -> str:
    found, weights, bias = shape(node.inputs[0]), shape(node.inputs[1]), shape(given(node, 2))
    if node.attributes.get_int("transA", 0) == 1:
        return "`[N, K]` times constant weights is accepted, found transA=1"
    if len(found) != 2 or len(weights) != 2:
        return f"`[N, K]` times constant weights `[K, C]` is accepted, found {found} times {weights}"
    if len(bias) == 2 and bias[0] != 1:
        return f"one bias for all rows is accepted, found a bias of shape {bias}"
    return not_constant(node, 1, 2)


def _meaning(node: ir.Node) -> Apply:
    transposed = bool(node.attributes.get_int("transB", 0))
    alpha, beta = node.attributes.get_float("alpha", 1.0), node.attributes.get_float("beta", 1.0)

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x, w = need(inputs[0]), need(inputs[1])
        y = alpha * (x @ (w.T if transposed else w))
        bias = inputs[2] if len(inputs) > 2 else None
        return y if bias is None else y + beta * bias

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    weights = _reordered(read_weights(node, e), e, node.inputs[0])
    if weights.scale is not None and weights.scale.size > 1:
        _pointwise(node, e, weights)
        return
    options = schema.FullyConnectedOptionsT(fusedActivationFunction=e.fused(node))
    e.op("FULLY_CONNECTED", [e.input(node, 0), *weights.tensors(e)], [e.output(node)], options)


def _pointwise(node: ir.Node, e: Emission, weights: Weights) -> None:
    """Per-channel int8 weights as a 1x1 CONV_2D: FULLY_CONNECTED before TFLite 2.17 reads the first scale only."""
    data, output = e.input(node, 0), e.output(node)
    rows, fan_in = e.shape(data)
    channels = len(weights.bias)
    image = reshaped(e, data, f"{e.name(data)}_1x1", (rows, 1, 1, fan_in))
    result = e.like(output, f"{e.name(output)}_1x1", (rows, 1, 1, channels))
    pixel = Window((1, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), "VALID")
    pointwise = weights.with_array(weights.array.reshape(channels, 1, 1, fan_in))
    options = with_window(schema.Conv2DOptionsT(), pixel, e.fused(node))
    e.op("CONV_2D", [image, *pointwise.tensors(e)], [result], options)
    reshape_into(e, result, output)


def _reordered(weights: Weights, e: Emission, data: ir.Value | None) -> Weights:
    """Columns permuted when the input was flattened from an NHWC image of more than one pixel."""
    flattened = e.flattened.get(_behind_qdq(data)) if data is not None else None
    if flattened is None:
        return weights
    rows = len(weights.array)
    columns = weights.array.reshape(rows, *flattened).transpose(0, 2, 3, 1).reshape(rows, -1)
    return weights.with_array(columns)


def _behind_qdq(value: ir.Value) -> ir.Value:
    """The value before any QuantizeLinear and DequantizeLinear in front of `value`."""
    node = value.producer()
    while node is not None and (graph.is_quantize(node) or graph.is_dequantize(node)) and node.inputs[0] is not None:
        value, node = node.inputs[0], node.inputs[0].producer()
    return value


OPERATORS = {
    "Gemm": Operator(
        _meaning,
        _write,
        {"FULLY_CONNECTED": ((1, "1.5.0"), (4, "1.14.0"))},
        _refuses,
        data_inputs=ALL,
        weighted=True,
        any_columns=True,
        exact="sum",
        kernel=Kernel("QGemm", ("FULLY_CONNECTED", "CONV_2D"), has_integer_weights, ratio=RATIO),
        layout="free",
        fuses=True,
    ),
    "MatMul": Operator(
        _meaning,
        _write,
        refuses=_refuses,
        data_inputs=ALL,
        any_columns=True,
        kernel=Kernel("", ("FULLY_CONNECTED",), has_integer_weights),
        layout="free",
        fuses=True,
    ),
}
