"""What a network may ask for: nothing that runs on and on, no tensor or side beyond a limit, finite weights."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from melanoma_edge.errors import InputError

MOST_SIDE = 4096  # pixels; the largest input of a published classifier for photographs is 1,280 or so
MOST_ELEMENTS = 1 << 28  # of one tensor: 1 GiB of float32
CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
MOVING = (  # operators that make no number larger than those that they read
    *(
        "Cast",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Squeeze",
        "Transpose",
    ),
    "Unsqueeze",
)
TO_THE_END = 2**31 - 1  # as a slice says it, or more
FEW = 64  # elements of a constant that a size may be put together from
GROWING = ("ConstantOfShape", "EyeLike", "Expand", "OneHot", "Pad", "Range", "Resize", "Tile", "Upsample")
TAKES_INFINITY = ("Clip", "Max", "Min", "Pad", "Where")  # as a bound, or as what is masked


def check_control_flow(node: onnx.NodeProto, path: Path) -> None:
    """Raise InputError for an operator whose time the file does not bound."""
    if node.op_type in CONTROL_FLOW:
        raise InputError(
            f"{path} holds operator {node.op_type} (node {node.name!r}): how long it runs depends on data; "
            "bring a network without control flow (export it by tracing, with a fixed image)"
        )


def check_side(side: int, path: Path) -> None:
    """Raise InputError for an image of more than MOST_SIDE pixels a side."""
    if side > MOST_SIDE:
        raise InputError(
            f"{path} takes images of {side:,} x {side:,} pixels: at most {MOST_SIDE:,} a side are accepted"
        )


def check_sizes(model: onnx.ModelProto, path: Path) -> None:
    """Raise InputError for a tensor of more than MOST_ELEMENTS, or of a size that values in the file may set at will.

    model: with its shapes inferred.
    """
    shapes = {value.name: value.type.tensor_type for value in (*model.graph.value_info, *model.graph.output)}
    makers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        for name in node.output:
            tensor = shapes.get(name)
            sides = None if tensor is None or not tensor.HasField("shape") else tensor.shape.dim
            known = sides is not None and all(side.HasField("dim_value") for side in sides)
            elements = math.prod(side.dim_value for side in sides or () if side.HasField("dim_value"))
            if elements > MOST_ELEMENTS:
                raise InputError(
                    f"{path}: tensor {name!r} of {node.op_type} has {elements:,} elements ({4 * elements / 2**30:.3g} "
                    f"GiB); at most {MOST_ELEMENTS:,} (1 GiB) are accepted"
                )
            if node.op_type in GROWING and not known and not _pads_little(node, makers, dict(_constants(model.graph))):
                raise InputError(
                    f"{path}: the size of tensor {name!r} of {node.op_type} does not follow from the graph: export the "
                    "network with a fixed image, so that its shapes are constants"
                )


def _pads_little(
    node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto], constants: Mapping[str, onnx.TensorProto]
) -> bool:
    """Whether a Pad's amounts are put together from a few small constants, as torch's older exporter does."""
    waiting, seen = list(node.input[1:2]), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        if name in constants:
            sizes = np.abs(numpy_helper.to_array(constants[name]).astype(np.float64))
            if sizes.size > FEW or np.any((sizes > 2 * MOST_SIDE) & (sizes < TO_THE_END)):
                return False
        elif name in makers and makers[name].op_type in MOVING:
            waiting += makers[name].input
        else:
            return False
    return node.op_type == "Pad"


def check_weights(model: onnx.ModelProto, path: Path) -> None:
    """Raise InputError, naming it, for a weight that is not finite, infinite bounds aside."""
    unbounded = {name for node in model.graph.node if node.op_type in TAKES_INFINITY for name in node.input}
    for name, tensor in _constants(model.graph):
        if tensor.data_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE):
            continue
        array = numpy_helper.to_array(tensor)
        bad = np.isnan(array) if name in unbounded else ~np.isfinite(array)
        if bad.any():
            reader = next((f"{n.op_type} {n.name!r}" for n in model.graph.node if name in n.input), "nothing")
            raise InputError(
                f"{path}: weight {name!r} of {reader} holds {int(bad.sum()):,} values that are not finite, of "
                f"{array.size:,} (the first is {array[bad].flat[0]}): bring a network whose training did not diverge"
            )


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                yield node.output[0], attribute.t
