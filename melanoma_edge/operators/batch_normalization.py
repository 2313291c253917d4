"""BatchNormalization at inference, as MUL and ADD. The clean passes fold it into the layer before it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from melanoma_edge.operators import Apply, Operator
from melanoma_edge.operators._attributes import need, not_constant, shape
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.affine import Integers
from melanoma_edge.tflite.emission import Emission, constant_input

if TYPE_CHECKING:
    from torch import Tensor


def _epsilon(node: ir.Node) -> float:
    return float(node.attributes.get_float("epsilon", 1e-5))


def _refuses(node: ir.Node) -> str:
    if (
        len(shape(node.inputs[0])) not in (2, 4)
        or node.attributes.get_int("training_mode", 0) == 1
        or len(node.outputs) > 1
    ):
        return f"images or matrices at inference are accepted, found shape {shape(node.inputs[0])} or training_mode"
    return not_constant(node, 1, 2, 3, 4)


def _meaning(node: ir.Node) -> Apply:
    import torch.nn.functional as F  # noqa: N812

    epsilon = _epsilon(node)

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        x, gamma, beta, mean, variance = (need(v) for v in inputs)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=epsilon)

    return apply


def _write(node: ir.Node, e: Emission) -> None:
    given = (constant_input(node, i) for i in range(1, 5))
    gamma, beta, mean, variance = ((a.real() if isinstance(a, Integers) else a).astype(np.float64) for a in given)
    scale = gamma / np.sqrt(variance + _epsilon(node))
    data, output = e.input(node, 0), e.output(node)
    scaled = e.like(data, f"{e.name(output)}_scaled", e.shape(data))
    factor, shift = (
        e.builder.constant(f"{e.name(output)}_{name}", array.astype(np.float32))
        for name, array in (("factor", scale), ("shift", beta - mean * scale))
    )
    e.op("MUL", [data, factor], [scaled], schema.MulOptionsT())
    e.op("ADD", [scaled, shift], [output], schema.AddOptionsT())


OPERATORS = {"BatchNormalization": Operator(_meaning, _write, refuses=_refuses, per_channel=True, layout="image")}
