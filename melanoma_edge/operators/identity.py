"""Identity."""

import onnx_ir as ir

from melanoma_edge.operators import Apply, Operator
from melanoma_edge.operators._attributes import need
from melanoma_edge.tflite.moves import same


def _meaning(node: ir.Node) -> Apply:
    return lambda inputs: need(inputs[0])


OPERATORS = {
    "Identity": Operator(
        _meaning,
        lambda node, e: same(e, node, e.input(node, 0)),
        homogeneous=True,
        per_channel=True,
        moves=True,
        keeps_order=True,
        exact="copy",
    )
}
