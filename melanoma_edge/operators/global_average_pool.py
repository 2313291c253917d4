"""GlobalAveragePool: the mean over height and width, as MEAN."""

import onnx_ir as ir

from melanoma_edge.operators import Apply, Kernel, Operator, always
from melanoma_edge.operators._attributes import need, not_image
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission


def _meaning(node: ir.Node) -> Apply:
    return lambda inputs: need(inputs[0]).mean((2, 3), keepdim=True)


def _write(node: ir.Node, e: Emission) -> None:
    axes = e.int32("height_width", (1, 2))
    e.op("MEAN", [e.input(node, 0), axes], [e.output(node)], schema.ReducerOptionsT(keepDims=True))


OPERATORS = {
    "GlobalAveragePool": Operator(
        _meaning,
        _write,
        {"MEAN": ((1, "1.6.0"), (2, "1.14.0"))},
        not_image,
        homogeneous=True,
        per_channel=True,
        exact="mean",
        kernel=Kernel("QLinearGlobalAveragePool", ("MEAN",), always, ratio=(2.0**-32, 2.0**8), rounds="mean"),
        layout="image",
    )
}
