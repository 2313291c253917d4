"""What pools over a window have in common."""

from typing import Any

import onnx_ir as ir

from melanoma_edge.operators._attributes import ints, not_image
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.padding import Window, pair, window


def refuses(node: ir.Node) -> str:
    """Windows that TFLite does not have."""
    kernel, dilations = ints(node, "kernel_shape", []), ints(node, "dilations", [1, 1])
    if len(kernel) != 2:
        return f"2-D pools are accepted, found kernel {kernel}"
    if dilations != [1, 1]:
        return f"dilated pooling is not in TFLite, found dilations {dilations}"
    if node.attributes.get_int("ceil_mode", 0):
        return "ceil_mode=1 that padding does not replace is not accepted: set ceil_mode=0"
    return not_image(node)


def slid(node: ir.Node) -> Window:
    """The window of a pool."""
    return window(node, pair(node, "kernel_shape"))


def options(found: Window) -> Any:
    """The options of a pool in TFLite."""
    return schema.Pool2DOptionsT(
        padding=schema.Padding.SAME if found.kind == "SAME" else schema.Padding.VALID,
        strideH=found.strides[0],
        strideW=found.strides[1],
        filterHeight=found.kernel[0],
        filterWidth=found.kernel[1],
    )
