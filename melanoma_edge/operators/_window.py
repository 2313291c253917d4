"""The sliding window of convolutions and pools in torch."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import onnx_ir as ir

from melanoma_edge.operators._attributes import ints

if TYPE_CHECKING:
    from torch import Tensor


def padding(
    node: ir.Node, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> "Callable[[Tensor], list[int]]":
    """Padding of an NCHW input in torch's order (left, right, top, bottom)."""
    auto = node.attributes.get_string("auto_pad", "NOTSET")
    if auto in ("NOTSET", "VALID"):
        top, left, bottom, right = ints(node, "pads", [0, 0, 0, 0]) if auto == "NOTSET" else (0, 0, 0, 0)
        return lambda x: [left, right, top, bottom]

    def same(x: "Tensor") -> list[int]:
        pads: list[int] = []
        for axis in (1, 0):  # ONNX SAME_UPPER: output = ceil(input / stride), the odd pixel at the end
            size = x.shape[2 + axis]
            total = max(
                (-(-size // stride[axis]) - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - size, 0
            )
            small, large = total // 2, total - total // 2
            pads += [small, large] if auto == "SAME_UPPER" else [large, small]
        return pads

    return same
