"""Transpose of all axes but the batch."""

import onnx_ir as ir

from melanoma_edge.operators import Apply, Kernel, Operator, always
from melanoma_edge.operators._attributes import ints, need, shape
from melanoma_edge.tflite import layout
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import same, settle, transposed


def _order(node: ir.Node) -> list[int]:
    return ints(node, "perm", list(reversed(range(len(shape(node.inputs[0]))))))


def _refuses(node: ir.Node) -> str:
    order = _order(node)
    return "" if order and order[0] == 0 else f"permutations that keep the batch first are accepted, found {order}"


def _meaning(node: ir.Node) -> Apply:
    order = _order(node)
    return lambda inputs: need(inputs[0]).permute(order)


def _write(node: ir.Node, e: Emission) -> None:
    order = layout.permutation(_order(node), e.is_image(node.inputs[0]), e.is_image(node.outputs[0]))
    data = e.input(node, 0)
    turned = transposed(e, data, str(node.outputs[0].name), order)
    if turned == data:
        same(e, node, data)
    else:
        settle(e, node, turned)


OPERATORS = {
    "Transpose": Operator(
        _meaning,
        _write,
        refuses=_refuses,
        homogeneous=True,
        moves=True,
        exact="copy",
        kernel=Kernel("", ("TRANSPOSE",), always),
        layout="free",
    )
}
