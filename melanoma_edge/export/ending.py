"""What a network brought from elsewhere does last: a Softmax is cut off, logits are put in the order of the task."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from melanoma_edge.errors import InputError
from melanoma_edge.operators import table

MOVES = ("Cast", "Dropout", "Transpose")  # and what keeps the order of the elements
CUT = ("LogSoftmax", "Softmax")  # their input are logits, of the same probabilities
WANTED = "bring the network without it, its output must be logits of a softmax"


def cut_softmax(model: onnx.ModelProto, path: Path) -> str | None:
    """Make `model`, with its shapes inferred, end in its logits, in place; what was cut off, or None.

    Looks through whatever only moves data. Raises InputError for a Softmax over something else than the classes, or
    whose result is read by something else besides, and for a Sigmoid: no logits of one softmax give its probabilities.
    """
    last = _last(model)
    if last is None or last.op_type not in (*CUT, "Sigmoid"):
        return None
    name = f"{last.op_type} {last.name!r}" if last.name else last.op_type
    if last.op_type == "Sigmoid":
        raise InputError(f"{path} ends in {name}: {WANTED}, one for each class")
    shape = _shape(model, last.output[0])
    axis = next((a.i for a in last.attribute if a.name == "axis"), -1)
    if shape is None or not -len(shape) <= axis < len(shape) or shape[axis] != math.prod(shape):
        raise InputError(f"{path} ends in {name} over axis {axis} of {shape}, which is not the classes: {WANTED}")
    last.op_type = "Identity"
    del last.attribute[:]
    return name


def reorder(model: onnx.ModelProto, order: Sequence[int]) -> None:
    """Give `model` the logits order[0], order[1], ... of what it gave, in place; multiplying by 0 and 1 is exact."""
    matrix = np.zeros((len(order), len(order)), np.float32)
    matrix[list(order), range(len(order))] = 1
    output = model.graph.output[0]
    taken = {name for node in model.graph.node for name in (*node.output, *node.input)} | {output.name}
    ordered, weights = _free(f"{output.name}_ordered", taken), _free(f"{output.name}_order", taken)
    model.graph.initializer.append(numpy_helper.from_array(matrix, weights))
    model.graph.node.append(onnx.helper.make_node("Gemm", [output.name, weights], [ordered], name=ordered))
    output.name = ordered


def _last(model: onnx.ModelProto) -> onnx.NodeProto | None:
    """The node that makes the output, before what only moved it; None where something else reads what it made."""
    makers: dict[str, onnx.NodeProto] = {name: node for node in model.graph.node for name in node.output}
    name, readers = model.graph.output[0].name, 0
    while name in makers and sum(list(node.input).count(name) for node in model.graph.node) == readers:
        node = makers[name]
        known = table().get(node.op_type)
        if node.op_type not in MOVES and (known is None or not known.keeps_order):
            return node
        name, readers = node.input[0], 1
    return None


def _shape(model: onnx.ModelProto, name: str) -> tuple[int, ...] | None:
    for value in (*model.graph.value_info, *model.graph.output):
        if value.name == name and value.type.tensor_type.HasField("shape"):
            return tuple(int(side.dim_value) for side in value.type.tensor_type.shape.dim)
    return None


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
