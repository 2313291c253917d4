"""AveragePool in two dimensions. XNNPACK has no 8-bit kernel of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge.operators import Apply, Operator, _pool
from melanoma_edge.operators._attributes import ints, need
from melanoma_edge.operators._window import padding
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import padded
from melanoma_edge.tflite.padding import Window, spatial

if TYPE_CHECKING:
    from torch import Tensor


def _meaning(node: ir.Node) -> Apply:
    import torch
    import torch.nn.functional as F  # noqa: N812

    kernel, stride = ints(node, "kernel_shape", []), ints(node, "strides", [1, 1])
    pads_of = padding(node, kernel, stride, [1, 1])
    count_padding = bool(node.attributes.get_int("count_include_pad", 0))

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x = need(inputs[0])
        pads = pads_of(x)
        mean = F.avg_pool2d(F.pad(x, pads), kernel, stride)
        inside = F.avg_pool2d(F.pad(torch.ones_like(x[:1, :1]), pads), kernel, stride)
        return mean if count_padding else mean / inside

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    """TFLite leaves SAME's padding out of the mean; padding otherwise left out is counted, and made up for by a MUL."""
    window = _pool.slid(node)
    data = e.input(node, 0)
    if window.kind == "VALID" or (window.kind == "SAME" and not node.attributes.get_int("count_include_pad", 0)):
        e.op("AVERAGE_POOL_2D", [data], [e.output(node)], _pool.options(window))
        return
    valid = Window(window.kernel, window.strides, window.dilations, window.pads, "VALID")
    data = padded(e, data, window.pads)
    if node.attributes.get_int("count_include_pad", 0):
        e.op("AVERAGE_POOL_2D", [data], [e.output(node)], _pool.options(valid))
        return
    output = e.output(node)
    mean = e.like(output, f"{e.name(output)}_counted", e.shape(output))
    e.op("AVERAGE_POOL_2D", [data], [mean], _pool.options(valid))
    factor = e.builder.constant(f"{e.name(output)}_inside", _counted_by_inside(node, window))
    e.op("MUL", [mean, factor], [output], schema.MulOptionsT())


def _counted_by_inside(node: ir.Node, window: Window) -> NDArray[np.float32]:
    """Elements of each window by those that are not padding, float32 `[1, H, W, 1]`."""
    inside = []
    sizes, made = spatial(node, node.inputs[0]), spatial(node, node.outputs[0])
    for axis, (size, outputs) in enumerate(zip(sizes, made, strict=True)):
        first = np.arange(outputs) * window.strides[axis] - window.pads[axis][0]
        inside.append(np.minimum(first + window.kernel[axis], size) - np.maximum(first, 0))
    counts = window.kernel[0] * window.kernel[1] / np.outer(*inside)
    return counts.astype(np.float32)[np.newaxis, :, :, np.newaxis]


OPERATORS = {
    "AveragePool": Operator(
        _meaning,
        _write,
        {"AVERAGE_POOL_2D": ((1, "1.5.0"), None)},
        _pool.refuses,
        homogeneous=True,
        per_channel=True,
        layout="image",
    )
}
