"""Conv in two dimensions, as CONV_2D or DEPTHWISE_CONV_2D."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import onnx_ir as ir

from melanoma_edge.operators import ALL, Apply, Kernel, Operator
from melanoma_edge.operators._attributes import ints, need, not_constant, not_image, shape
from melanoma_edge.operators._window import padding
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import padded
from melanoma_edge.tflite.padding import Window, window
from melanoma_edge.tflite.weights import has_integer_weights, read_weights

if TYPE_CHECKING:
    from torch import Tensor

RATIO = (2.0**-32, 2.0**8)  # limits of input scale * weight scale / output scale, of layers with weights
GROUPED = (6, "2.9.0")  # versions that plain convolutions do not need
DILATED_DEPTHWISE = (2, "1.12.0")


def _refuses(node: ir.Node) -> str:
    weights = shape(node.inputs[1])
    if len(weights) != 4:
        return f"only 2-D convolutions are accepted, found weights of shape {weights}"
    return not_constant(node, 1, 2) or not_image(node)


def _meaning(node: ir.Node) -> Apply:
    import torch.nn.functional as F  # noqa: N812

    stride, dilation = ints(node, "strides", [1, 1]), ints(node, "dilations", [1, 1])
    pads_of = padding(node, shape(node.inputs[1])[2:], stride, dilation)
    group = int(node.attributes.get_int("group", 1) or 1)

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x, w = need(inputs[0]), need(inputs[1])
        bias = inputs[2] if len(inputs) > 2 else None
        left, right, top, bottom = pads_of(x)
        if (left, top) == (right, bottom):
            return F.conv2d(x, w, bias, stride, [top, left], dilation, group)
        return F.conv2d(F.pad(x, [left, right, top, bottom]), w, bias, stride, 0, dilation, group)

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    weights = read_weights(node, e)
    channels_out, fan_in, *kernel = weights.array.shape
    slid = window(node, (kernel[0], kernel[1]))
    data = e.input(node, 0)
    channels_in = e.shape(data)[3]
    groups = channels_in // fan_in
    if slid.kind == "PAD":
        data = padded(e, data, slid.pads)
    if groups == channels_in > 1:
        per_tap = weights.with_array(weights.array.transpose(1, 2, 3, 0))
        options = with_window(schema.DepthwiseConv2DOptionsT(), slid, e.fused(node))
        options.depthMultiplier = channels_out // channels_in
        dilated = slid.dilations != (1, 1) and not e.is_integer(node)
        version = DILATED_DEPTHWISE if dilated else None
        e.op("DEPTHWISE_CONV_2D", [data, *per_tap.tensors(e, 3)], [e.output(node)], options, version)
        return
    channels_last = weights.with_array(weights.array.transpose(0, 2, 3, 1))
    options = with_window(schema.Conv2DOptionsT(), slid, e.fused(node))
    e.op("CONV_2D", [data, *channels_last.tensors(e)], [e.output(node)], options, GROUPED if groups > 1 else None)


def with_window(options: Any, slid: Window, fused: int) -> Any:
    """Options of a convolution with its window and fused activation."""
    options.padding = schema.Padding.SAME if slid.kind == "SAME" else schema.Padding.VALID
    options.strideH, options.strideW = slid.strides
    options.dilationHFactor, options.dilationWFactor = slid.dilations
    options.fusedActivationFunction = fused
    return options


OPERATORS = {
    "Conv": Operator(
        _meaning,
        _write,
        {"CONV_2D": ((1, "1.5.0"), (3, "1.14.0")), "DEPTHWISE_CONV_2D": ((1, "1.5.0"), (3, "1.14.0"))},
        _refuses,
        data_inputs=ALL,
        weighted=True,
        exact="sum",
        kernel=Kernel("QLinearConv", ("CONV_2D", "DEPTHWISE_CONV_2D"), has_integer_weights, ratio=RATIO),
        layout="image",
        fuses=True,
    )
}
