"""ReduceMean over constant axes, as MEAN. Over height and width it is a GlobalAveragePool after the clean passes."""

import onnx_ir as ir

from melanoma_edge.operators import Apply, Operator
from melanoma_edge.operators._attributes import axes, need, shape
from melanoma_edge.tflite import layout, schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import transposed


def _refuses(node: ir.Node) -> str:
    found, rank = axes(node), len(shape(node.inputs[0]))
    if not found or not rank or any(a % rank == 0 for a in found):
        return f"constant axes other than the batch are accepted, found {found}"
    return ""


def _meaning(node: ir.Node) -> Apply:
    over, keep = axes(node) or [], node.attributes.get_int("keepdims", 1) != 0
    return lambda inputs: need(inputs[0]).mean(over, keepdim=keep)


def _write(node: ir.Node, e: Emission) -> None:
    data, keep = e.input(node, 0), node.attributes.get_int("keepdims", 1) != 0
    image, rank = e.is_image(node.inputs[0]), len(e.shape(data))
    if image and not keep:  # what is left has ONNX's order
        data, image = transposed(e, data, f"{e.name(data)}_nchw", layout.NCHW), False
    over = e.int32("axes", [layout.axis(a, rank, image) for a in axes(node) or []])
    e.op("MEAN", [data, over], [e.output(node)], schema.ReducerOptionsT(keepDims=keep))


OPERATORS = {"ReduceMean": Operator(_meaning, _write, refuses=_refuses, homogeneous=True)}
