"""Softmax along one axis. Neither runtime's 8-bit kernel is used."""

import onnx_ir as ir

from melanoma_edge.operators import Apply, Operator
from melanoma_edge.operators._attributes import need, shape
from melanoma_edge.tflite import layout, schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import transposed


def _axis(node: ir.Node) -> int:
    return int(node.attributes.get_int("axis", -1)) % max(len(shape(node.inputs[0])), 1)


def _refuses(node: ir.Node) -> str:
    return "any axis but the batch is accepted, found axis 0" if _axis(node) == 0 else ""


def _meaning(node: ir.Node) -> Apply:
    axis = _axis(node)
    return lambda inputs: need(inputs[0]).softmax(axis)


def _write(node: ir.Node, e: Emission) -> None:
    """SOFTMAX works along the last axis: another one is brought there and back."""
    data, output = e.input(node, 0), e.output(node)
    rank, options = len(e.shape(data)), schema.SoftmaxOptionsT(beta=1.0)
    axis = layout.axis(_axis(node), rank, e.is_image(node.inputs[0]))
    if axis == rank - 1:
        e.op("SOFTMAX", [data], [output], options)
        return
    swapped = list(range(rank))
    swapped[axis], swapped[-1] = swapped[-1], swapped[axis]
    turned = transposed(e, data, f"{e.name(data)}_turned", swapped)
    made = e.like(turned, f"{e.name(output)}_turned", e.shape(turned))
    e.op("SOFTMAX", [turned], [made], options)
    e.op("TRANSPOSE", [made, e.int32("perm", swapped)], [output], schema.TransposeOptionsT())


OPERATORS = {"Softmax": Operator(_meaning, _write, {"SOFTMAX": ((1, "1.5.0"), None)}, _refuses)}
