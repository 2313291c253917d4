"""Pooling: MaxPool, AveragePool, and GlobalAveragePool as MEAN."""

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from melanoma_edge import graph
from melanoma_edge.operators.shape import padded, settle
from melanoma_edge.tflite import padding
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.errors import unsupported
from melanoma_edge.tflite.rule import Rule, always

LOWEST = np.finfo(np.float32).min


def _global_average(node: ir.Node, e: Emission) -> None:
    padding.spatial(node, node.inputs[0])
    axes = e.int32("height_width", (1, 2))
    e.op("MEAN", [e.input(node, 0), axes], [e.output(node)], schema.ReducerOptionsT(keepDims=True))


def _max_pool(node: ir.Node, e: Emission) -> None:
    if len(node.outputs) > 1:
        raise unsupported(node, "the indices of the maxima are not written")
    window = _window(node)
    if _starts_in_padding(node, window):
        raise unsupported(node, "ceil_mode=1 makes a window of padding only, which runtimes count or not")
    data = e.input(node, 0)
    if window.kind == "PAD":
        data = _padded_with_lowest(e, node, data, window.pads)
    height, width = padding.spatial(node, node.outputs[0])
    rows, _, _, channels = e.shape(data)
    result = e.like(data, str(node.outputs[0].name), (rows, height, width, channels))
    e.op("MAX_POOL_2D", [data], [result], _options(window))
    settle(e, node, result)


def _average_pool(node: ir.Node, e: Emission) -> None:
    window = _window(node)
    if node.attributes.get_int("ceil_mode", 0) and not _same_size_as_floor(node, window):
        raise unsupported(node, "ceil_mode=1 makes windows that TFLite counts otherwise")
    data = e.input(node, 0)
    if node.attributes.get_int("count_include_pad", 0) and window.kind != "VALID":
        data = padded(e, data, window.pads)
        window = padding.Window(window.kernel, window.strides, window.dilations, window.pads, "VALID")
    elif window.kind == "PAD":
        raise unsupported(node, f"padding {window.pads} left out of the mean is not TFLite's SAME")
    e.op("AVERAGE_POOL_2D", [data], [e.output(node)], _options(window))


def _window(node: ir.Node) -> padding.Window:
    kernel = padding.pair(node, "kernel_shape")
    window = padding.window(node, kernel)
    if window.dilations != (1, 1):
        raise unsupported(node, f"dilated pooling is not in TFLite, found dilations {window.dilations}")
    return window


def _same_size_as_floor(node: ir.Node, window: padding.Window) -> bool:
    image, output = padding.spatial(node, node.inputs[0]), padding.spatial(node, node.outputs[0])
    pads = node.attributes.get_ints("pads") or (0, 0, 0, 0)
    total = (pads[0] + pads[2], pads[1] + pads[3])
    sizes = zip(image, total, window.kernel, window.strides, strict=True)
    return tuple((i + p - k) // s + 1 for i, p, k, s in sizes) == output


def _starts_in_padding(node: ir.Node, window: padding.Window) -> bool:
    """Whether the last window of a row or column lies behind the image."""
    image, output = padding.spatial(node, node.inputs[0]), padding.spatial(node, node.outputs[0])
    before = (window.pads[0][0], window.pads[1][0])
    return any((o - 1) * s >= i + b for o, s, i, b in zip(output, window.strides, image, before, strict=True))


def _padded_with_lowest(e: Emission, node: ir.Node, data: int, pads: padding.Pads) -> int:
    """Padding that no maximum picks: PAD where zero is as low as any value, else PADV2, which XNNPACK leaves out."""
    quantization = e.quantizations.get(data)
    if _is_never_negative(node.inputs[0]) if quantization is None else int(quantization.zero_point[0]) == -128:
        return padded(e, data, pads)
    rows, height, width, channels = e.shape(data)
    (top, bottom), (left, right) = pads
    result = e.like(data, f"{e.name(data)}_pad", (rows, height + top + bottom, width + left + right, channels))
    paddings = e.int32("pads", ((0, 0), (top, bottom), (left, right), (0, 0)))
    lowest = np.array(LOWEST, np.float32) if quantization is None else np.array(-128, np.int8)
    fill = e.builder.constant("lowest", lowest, quantization)
    e.op("PADV2", [data, paddings, fill], [result], schema.PadV2OptionsT())
    return result


def _is_never_negative(value: ir.Value | None) -> bool:
    node = None if value is None else value.producer()
    bounds = None if node is None else graph.clamp_bounds(node)
    return bounds is not None and bounds[0] >= 0


def _options(window: padding.Window) -> schema.Pool2DOptionsT:
    return schema.Pool2DOptionsT(
        padding=schema.Padding.SAME if window.kind == "SAME" else schema.Padding.VALID,
        strideH=window.strides[0],
        strideW=window.strides[1],
        filterHeight=window.kernel[0],
        filterWidth=window.kernel[1],
    )


RULES = {
    "AveragePool": Rule(_average_pool),
    "GlobalAveragePool": Rule(_global_average, always),
    "MaxPool": Rule(_max_pool, always),
}
