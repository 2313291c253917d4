"""On the way to INT8 the frame around the image takes colours that the image's own integers can say.

A frame (see export/normalization.py) holds the colour that was zero for the network. Rounded to multiples of 1/128, the
nearest pixel value, the border errs by half a level at most, alike in every runtime, and image and frame share one
scale. Where all of it rounds to 0, as with mean 127.5, the convolution pads as it did: that costs nothing.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.data.preprocess import STD
from melanoma_edge.tflite.padding import pair, spatial

PHASE = "integer"


def run(model: ir.Model) -> int:
    """Round every frame of the image in place, or give it back to its convolutions; returns how many changed."""
    (image,) = model.graph.inputs
    count = 0
    for frame in [found for node in image.consumers() if (found := _frame(node, image))]:
        sides = [(node, index, array) for node in frame for index, array in _sides(node)]
        if any(np.any(np.abs(_rounded(array) - array.astype(np.float32)) > 1 / STD) for _, _, array in sides):
            continue  # not a colour: the quantiser leaves such a Concat in float
        readers = frame[-1].outputs[0].consumers()
        if not any(np.any(_rounded(array)) for _, _, array in sides) and all(map(_can_pad, readers)):
            _give_back(frame, image, readers)
            count += 1
        elif any(np.any(_rounded(array) != array) for _, _, array in sides):
            for node, index, array in sides:
                rounded = graph.add_constant(model.graph, f"{image.name}_border", _rounded(array))
                node.replace_input_with(index, rounded)
            count += 1
    return count


def _frame(node: ir.Node, value: ir.Value) -> list[ir.Node]:
    """The Concat of rows, of columns, or one after the other, that put constants around `value`; empty for others."""
    if not graph.is_op(node, "Concat") or node.attributes.get_int("axis", 0) not in (2, 3):
        return []
    computed = [index for index, v in enumerate(node.inputs) if graph.constant(v) is None]
    if len(computed) != 1 or node.inputs[computed[0]] is not value or node.outputs[0].is_graph_output():
        return []
    if computed[0] > 1 or len(node.inputs) - computed[0] > 2:
        return []
    readers = node.outputs[0].consumers()
    return [node, *(_frame(readers[0], node.outputs[0]) if len(readers) == 1 else [])]


def _sides(node: ir.Node) -> Iterator[tuple[int, NDArray[np.generic]]]:
    """The constant operands of a Concat, by index."""
    for index, value in enumerate(node.inputs):
        array = graph.constant(value)
        if array is not None:
            yield index, array


def _rounded(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """The nearest of the image's integers, as real numbers."""
    return np.clip(np.rint(array.astype(np.float64) * STD), -128, 127).astype(np.float32) / np.float32(STD)


def _can_pad(node: ir.Node) -> bool:
    attributes = node.attributes
    padded = any(attributes.get_ints("pads", (0,))) or attributes.get_string("auto_pad", "NOTSET") != "NOTSET"
    return graph.is_op(node, "Conv") and not padded


def _give_back(frame: list[ir.Node], image: ir.Value, convolutions: Sequence[ir.Node]) -> None:
    """Let the convolutions pad with zero again."""
    before, after = [0, 0], [0, 0]
    for node in frame:
        axis = int(node.attributes.get_int("axis", 0) or 0) - 2
        for index, array in _sides(node):
            (before if index == 0 else after)[axis] = array.shape[axis + 2]
    for conv in convolutions:
        height, width = spatial(conv, image)
        both = [_symmetric(conv, i, size, before[i], after[i]) for i, size in enumerate((height, width))]
        conv.attributes.add(ir.AttrInt64s("pads", [before[0], before[1], both[0], both[1]]))
    frame[-1].outputs[0].replace_all_uses_with(image)
    for node in reversed(frame):
        graph.graph_of(node).remove(node, safe=True)


def _symmetric(conv: ir.Node, axis: int, size: int, before: int, after: int) -> int:
    """As much padding behind as in front where no window reads the difference: exporters write it so."""
    weights = graph.dims(conv.inputs[1]) if conv.inputs[1] is not None else None
    if weights is None:
        return after
    span = (weights[2 + axis] - 1) * pair(conv, "dilations")[axis] + 1
    steps = [(size + before + behind - span) // pair(conv, "strides")[axis] for behind in (before, after)]
    return before if steps[0] == steps[1] and before > after else after
