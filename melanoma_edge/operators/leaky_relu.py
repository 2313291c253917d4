"""LeakyRelu: x, or alpha * x below zero.

ONNX Runtime's QLinearLeakyRelu and XNNPACK's LEAKY_RELU round the slope each in its own way, so the quantiser leaves
it in float, where it is one product an element.
"""

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import Apply, Kernel, Operator
from melanoma_edge.operators._attributes import need
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.emission import Emission


def _slope(node: ir.Node) -> float:
    return float(node.attributes.get_float("alpha", 0.01) or 0.0)


def _meaning(node: ir.Node) -> Apply:
    import torch.nn.functional as F  # noqa: N812

    slope = _slope(node)
    return lambda inputs: F.leaky_relu(need(inputs[0]), slope)


def _write(node: ir.Node, e: Emission) -> None:
    options = schema.LeakyReluOptionsT(alpha=node.attributes.get_float("alpha", 0.01))
    e.op("LEAKY_RELU", [e.input(node, 0)], [e.output(node)], options)


def _takes(node: ir.Node, output: Quantization) -> bool:
    """XNNPACK's limits on the input's and the negative slope's scale ratio (delegate README, LEAKY_RELU)."""
    source = node.inputs[0].producer() if node.inputs[0] is not None else None
    scale = graph.scalar(source.inputs[1]) if source is not None else None
    if scale is None:
        return False
    ratio = scale / float(output.scale[0])
    return 2**-8 <= ratio <= 2**7 and 2**-8 <= abs(ratio * _slope(node)) < 2**7


OPERATORS = {
    "LeakyRelu": Operator(
        _meaning,
        _write,
        {"LEAKY_RELU": ((1, "1.13.1"), (2, "2.3.0"))},
        homogeneous=True,
        per_channel=True,
        exact="element",
        kernel=Kernel("", ("LEAKY_RELU",), _takes),
    )
}
