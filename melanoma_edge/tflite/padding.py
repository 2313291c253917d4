"""How TFLite expresses ONNX's explicit padding: as SAME, as VALID, or by a PAD in front.

TFLite's SAME puts the odd element behind, torch's `padding=1` puts it in front, so a strided convolution of an even
image needs a PAD. XNNPACK merges a zero PAD into the convolution that alone reads it (`xnn_subgraph_fusion` in its
subgraph.c, float and int8), so there it is neither a pass over memory nor a partition.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.tflite.errors import unsupported

Pads: TypeAlias = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)


@dataclass(frozen=True)
class Window:
    """A 2-D sliding window, (height, width) each. pads: as far as they are read."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: Pads
    kind: Literal["SAME", "VALID", "PAD"]


def window(node: ir.Node, kernel: tuple[int, int]) -> Window:
    """The window of a Conv or pool over an NCHW image. Rows of padding that no window reads are left out.

    Raises UnsupportedOperatorError when a shape is unknown or not 4-D.
    """
    image, output = spatial(node, node.inputs[0]), spatial(node, node.outputs[0])
    strides = pair(node, "strides")
    dilations = pair(node, "dilations")
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    needed = [(o - 1) * s + span - i for o, s, span, i in zip(output, strides, spans, image, strict=True)]
    before = _pads_before(node, needed)
    pads = tuple((b, max(n - b, 0)) for b, n in zip(before, needed, strict=True))
    same = tuple((max(n, 0) // 2, max(n, 0) - max(n, 0) // 2) for n in needed)
    covers = all(o == -(-i // s) for o, i, s in zip(output, image, strides, strict=True))
    kind: Literal["SAME", "VALID", "PAD"] = "PAD"
    if not any(p for side in pads for p in side):
        kind = "VALID"
    elif pads == same and covers:
        kind = "SAME"
    return Window(kernel, strides, dilations, (pads[0], pads[1]), kind)


def pair(node: ir.Node, name: str) -> tuple[int, int]:
    """A (height, width) attribute that defaults to ones."""
    height, width = node.attributes.get_ints(name) or (1, 1)
    return int(height), int(width)


def spatial(node: ir.Node, value: ir.Value | None) -> tuple[int, int]:
    """(height, width) of an NCHW tensor at `node`."""
    dims = None if value is None else graph.dims(value)
    if dims is None or len(dims) != 4:
        raise unsupported(node, f"works on 4-D images of known shape here, found shape {dims}")
    return dims[2], dims[3]


def _pads_before(node: ir.Node, needed: list[int]) -> tuple[int, int]:
    mode = node.attributes.get_string("auto_pad", "NOTSET")
    if mode == "NOTSET":
        top, left = (node.attributes.get_ints("pads") or (0, 0, 0, 0))[:2]
        return int(top), int(left)
    if mode == "VALID":
        return 0, 0
    odd = 1 if mode == "SAME_LOWER" else 0
    top, left = ((max(n, 0) + odd) // 2 for n in needed)
    return top, left
