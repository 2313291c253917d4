"""Layers with weights: Conv as CONV_2D or DEPTHWISE_CONV_2D, Gemm and MatMul as FULLY_CONNECTED or 1x1 CONV_2D."""

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from melanoma_edge import graph
from melanoma_edge.operators.shape import padded, reshape_into, reshaped
from melanoma_edge.tflite import padding, versions
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.errors import unsupported
from melanoma_edge.tflite.rule import Rule
from melanoma_edge.tflite.weights import Weights, has_integer_weights, read_weights


def _conv(node: ir.Node, e: Emission) -> None:
    weights = read_weights(node, e)
    if weights.array.ndim != 4:
        raise unsupported(node, f"only 2-D convolutions are written, found weights of shape {weights.array.shape}")
    channels_out, fan_in, *kernel = weights.array.shape
    window = padding.window(node, (kernel[0], kernel[1]))
    data = e.input(node, 0)
    channels_in = e.shape(data)[3]
    groups = channels_in // fan_in
    if window.kind == "PAD":
        data = padded(e, data, window.pads)
    if groups == channels_in > 1:
        per_tap = weights.with_array(weights.array.transpose(1, 2, 3, 0))
        options = _options(schema.DepthwiseConv2DOptionsT(), window, e.fused(node))
        options.depthMultiplier = channels_out // channels_in
        dilated = window.dilations != (1, 1) and not e.is_integer(node)
        version = versions.DILATED_DEPTHWISE if dilated else None
        e.op("DEPTHWISE_CONV_2D", [data, *per_tap.tensors(e, 3)], [e.output(node)], options, version)
        return
    channels_last = weights.with_array(weights.array.transpose(0, 2, 3, 1))
    options = _options(schema.Conv2DOptionsT(), window, e.fused(node))
    version = versions.GROUPED_CONV if groups > 1 else None
    e.op("CONV_2D", [data, *channels_last.tensors(e)], [e.output(node)], options, version)


def _options(
    options: schema.Conv2DOptionsT | schema.DepthwiseConv2DOptionsT, window: padding.Window, fused: int
) -> schema.Conv2DOptionsT | schema.DepthwiseConv2DOptionsT:
    options.padding = schema.Padding.SAME if window.kind == "SAME" else schema.Padding.VALID
    options.strideH, options.strideW = window.strides
    options.dilationHFactor, options.dilationWFactor = window.dilations
    options.fusedActivationFunction = fused
    return options


def _linear(node: ir.Node, e: Emission) -> None:
    weights = read_weights(node, e)
    dims = graph.dims(node.inputs[0]) if node.inputs[0] is not None else None
    transposed = node.attributes.get_int("transA", 0) == 1
    if weights.array.ndim != 2 or dims is None or len(dims) != 2 or transposed:
        raise unsupported(node, f"only `[N, K]` times constant weights is written, found an input of shape {dims}")
    weights = _reordered(weights, e, node.inputs[0])
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
    window = padding.Window((1, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), "VALID")
    options = _options(schema.Conv2DOptionsT(), window, e.fused(node))
    pointwise = weights.with_array(weights.array.reshape(channels, 1, 1, fan_in))
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
    while node is not None and graph.is_op(node, "QuantizeLinear", "DequantizeLinear") and node.inputs[0] is not None:
        value, node = node.inputs[0], node.inputs[0].producer()
    return value


RULES = {
    "Conv": Rule(_conv, has_integer_weights, fuses=True),
    "Gemm": Rule(_linear, has_integer_weights, fuses=True),
    "MatMul": Rule(_linear, has_integer_weights, fuses=True),
}
