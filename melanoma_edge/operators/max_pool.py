"""MaxPool in two dimensions, without the indices of the maxima."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from melanoma_edge.operators import Apply, Kernel, Operator, _pool, always, clamp_bounds
from melanoma_edge.operators._attributes import ints, need
from melanoma_edge.operators._window import padding
from melanoma_edge.operators.concat import joined
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import padded, settle
from melanoma_edge.tflite.padding import Pads, spatial

if TYPE_CHECKING:
    from torch import Tensor

LOWEST = np.finfo(np.float32).min


def _refuses(node: ir.Node) -> str:
    return "the indices of the maxima are not written" if len(node.outputs) > 1 else _pool.refuses(node)


def _meaning(node: ir.Node) -> Apply:
    import torch
    import torch.nn.functional as F  # noqa: N812

    kernel, stride = ints(node, "kernel_shape", []), ints(node, "strides", [1, 1])
    pads_of = padding(node, kernel, stride, [1, 1])

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x = need(inputs[0])
        return F.max_pool2d(F.pad(x, pads_of(x), value=-torch.inf), kernel, stride)

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    window = _pool.slid(node)
    data = e.input(node, 0)
    if window.kind == "PAD":
        data = _padded_with_lowest(e, node, data, window.pads)
    height, width = spatial(node, node.outputs[0])
    rows, _, _, channels = e.shape(data)
    result = e.like(data, str(node.outputs[0].name), (rows, height, width, channels))
    e.op("MAX_POOL_2D", [data], [result], _pool.options(window))
    settle(e, node, result)


def _padded_with_lowest(e: Emission, node: ir.Node, data: int, pads: Pads) -> int:
    """Padding that no maximum picks: PAD where zero is as low as any value, else constants on the sides, since XNNPACK
    has no PADV2."""
    quantization = e.quantizations.get(data)
    if _is_never_negative(node.inputs[0]) if quantization is None else int(quantization.zero_point[0]) == -128:
        return padded(e, data, pads)
    lowest = np.float32(LOWEST) if quantization is None else np.int8(-128)
    for axis, widths in enumerate(pads, 1):
        sides = list(e.shape(data))
        given: list[int | None] = []
        for width in widths:
            sides[axis] = width
            given.append(e.constant("lowest", np.full(sides, lowest), quantization) if width else None)
        before, behind = given
        inputs = [tensor for tensor in (before, data, behind) if tensor is not None]
        data = joined(e, inputs, axis, data) if len(inputs) > 1 else data
    return data


def _is_never_negative(value: ir.Value | None) -> bool:
    node = None if value is None else value.producer()
    bounds = None if node is None else clamp_bounds(node)
    return bounds is not None and bounds[0] >= 0


OPERATORS = {
    "MaxPool": Operator(
        _meaning,
        _write,
        {"MAX_POOL_2D": ((1, "1.5.0"), (2, "1.14.0"))},
        _refuses,
        homogeneous=True,
        per_channel=True,
        exact="copy",
        kernel=Kernel("MaxPool", ("MAX_POOL_2D",), always, shares=True),
        layout="image",
    )
}
