"""The class-activation map of melanoma as a second output (Zhou et al., arXiv:1512.04150, equation 2).

Behind a global average pooling and one linear layer, a logit is the mean over the image of the features times that
class's weights, plus its bias: every place's share is known without a gradient. The map is that share for melanoma less
the mean share of the other classes, since a shift of all logits changes no probability. Two classes: its mean, plus the
difference of the biases, is the log odds of melanoma. It is appended to the finished graph, float or quantised, and
computed in float from the features and the last layer's weights as they stand there.
"""

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph, operators
from melanoma_edge.artifact import HEAT_MAP
from melanoma_edge.errors import InputError
from melanoma_edge.tflite.affine import constant_integers


@dataclass(frozen=True, eq=False)
class Head:
    """features: float32 `[1, C, h, w]` before the pooling. weights: `[K, C]` of the layer behind it, dequantised."""

    features: ir.Value
    weights: NDArray[np.float32]


def append(model: ir.Model, melanoma: int) -> None:
    """Give `model` the second output `heat_map`, float32 `[1, 1, h, w]`, above 0 where it speaks for melanoma.

    melanoma: its index among the logits, which stay the first output, bit for bit. Changes `model` in place. Raises
    InputError as `head` does.
    """
    found = head(model)
    others = np.delete(found.weights, melanoma, axis=0).mean(axis=0)
    kernel = (found.weights[melanoma] - others).reshape(1, -1, 1, 1)
    weight = graph.add_constant(model.graph, f"{HEAT_MAP}_weight", kernel)
    node = ir.node("Conv", [found.features, weight], name=f"{HEAT_MAP}_Conv")
    model.graph.append(node)
    _, _, height, width = graph.dims(found.features) or ()
    made = node.outputs[0]
    made.name, made.type, made.shape = HEAT_MAP, ir.TensorType(ir.DataType.FLOAT), ir.Shape((1, 1, height, width))
    model.graph.outputs.append(made)


def head(model: ir.Model) -> Head:
    """The global average pooling and the one linear layer that make the logits of a float or quantised graph.

    Raises InputError when something else makes them, such as the two layers of MobileNetV3's own head.
    """
    layer = _behind(model.graph.outputs[0])
    pool = None if layer is None else _behind(layer.inputs[0])
    weights = None if layer is None else _weights(layer)
    features = None if pool is None or operators.of(pool).exact != "mean" else pool.inputs[0]
    if features is None or weights is None or len(graph.dims(features) or ()) != 4:
        found = " behind ".join("nothing" if node is None else node.op_type for node in (layer, pool))
        raise InputError(
            f"no exact heat map for this network: its logits come from {found}. Accepted is one linear layer behind a "
            "global average pooling: for a network of ours train it with --head linear, or leave --heat-map out"
        )
    return Head(features, weights)


def _behind(value: ir.Value | None) -> ir.Node | None:
    """The node that computed `value`, before what only copied, quantised or rounded it."""
    node = None if value is None else value.producer()
    while node is not None:
        if graph.is_op(node, "Sub") and _rounds(node):
            node = node.inputs[0].producer() if node.inputs[0] is not None else None
        elif not (operators.of(node).keeps_order or graph.is_quantize(node) or graph.is_dequantize(node)):
            return node
        source = node.inputs[0] if node is not None else None
        node = None if source is None else source.producer()
    return None


def _rounds(node: ir.Node) -> bool:
    """Whether `node` is the Sub of (x + c) - c, with which the quantiser puts floats on a grid."""
    add = graph.producer(node.inputs[0], "Add")
    return add is not None and graph.scalar(node.inputs[1]) is not None and add.inputs[1] is node.inputs[1]


def _weights(layer: ir.Node) -> NDArray[np.float32] | None:
    """float32 `[K, C]` of a canonical Gemm or a 1x1 Conv; None for another node, or weights that are computed."""
    stored = layer.inputs[1] if operators.of(layer).weighted else None
    integers = constant_integers(stored.producer()) if stored is not None else None
    array = graph.constant(stored) if integers is None else integers.real()
    if array is None or layer.attributes.get_int("group", 1) != 1:
        return None
    if array.shape[2:] != (1, 1) and not (array.ndim == 2 and layer.attributes.get_int("transB", 0) == 1):
        return None
    return array.reshape(array.shape[:2]).astype(np.float32)
