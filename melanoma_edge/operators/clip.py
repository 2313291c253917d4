"""Clamps: Relu and Clip with constant bounds. In 8 bits they are the saturation of the operator before them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import Apply, Bounds, Kernel, Operator
from melanoma_edge.operators._attributes import need, not_constant
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.affine import saturates
from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.moves import settle

if TYPE_CHECKING:
    from torch import Tensor

NAMED = {(0.0, np.inf): "RELU", (0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1"}  # fused activations, and operators
RELU: Bounds = (0.0, np.inf)


def _bounds(node: ir.Node) -> Bounds | None:
    """(lower, upper) of a Clip; None when one is computed."""
    given = [*node.inputs[1:], None, None][:2]
    low, high = (graph.scalar(v) for v in given)
    if (low is None and given[0] is not None) or (high is None and given[1] is not None):
        return None
    return -np.inf if low is None else low, np.inf if high is None else high


def _refuses(node: ir.Node) -> str:
    computed = not_constant(node, 1, 2)
    return computed or ("" if _bounds(node) is not None else "its bounds must be one number each")


def _meaning(node: ir.Node) -> Apply:
    low, high = _bounds(node) or (-np.inf, np.inf)

    def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
        value = need(inputs[0])
        if np.isinf(low) and np.isinf(high):
            return value
        return value.clamp(None if np.isinf(low) else low, None if np.isinf(high) else high)

    return apply


def _relu(node: ir.Node) -> Apply:
    import torch

    return lambda inputs: torch.relu(need(inputs[0]))


def _takes(bounds: Bounds | None, output: Quantization) -> bool:
    """In 8 bits a clamp of its own is the change of scale that saturates at the same bounds."""
    return bounds is not None and saturates(output, *bounds)


def _write(node: ir.Node, e: Emission, bounds: Bounds) -> None:
    if e.is_integer(node):
        settle(e, node, e.input(node, 0))
    else:
        write_clamp(e, e.input(node, 0), e.output(node), *bounds)


def write_clamp(e: Emission, data: int, output: int, low: float, high: float) -> None:
    """Write output = min(max(data, low), high) in float."""
    if (low, high) in NAMED:
        e.op(NAMED[low, high], [data], [output])
        return
    bounded = [("MAXIMUM", low)] if np.isfinite(low) else []
    bounded += [("MINIMUM", high)] if np.isfinite(high) or not bounded else []
    for n, (name, bound) in enumerate(bounded):
        last = n == len(bounded) - 1
        result = output if last else e.like(data, f"{e.name(output)}_low", e.shape(data))
        limit = e.builder.constant(f"{bound:g}", np.array(bound, np.float32))
        e.op(name, [data, limit], [result], schema.MaximumMinimumOptionsT())
        data = result


OPERATORS = {
    "Clip": Operator(
        _meaning,
        lambda node, e: _write(node, e, _bounds(node) or (-np.inf, np.inf)),
        {"MAXIMUM": ((1, "1.14.0"), None), "MINIMUM": ((1, "1.14.0"), None)},
        _refuses,
        per_channel=True,
        bounds=_bounds,
        exact="copy",
        kernel=Kernel("", ("QUANTIZE",), lambda node, output: _takes(_bounds(node), output)),
    ),
    "Relu": Operator(
        _relu,
        lambda node, e: _write(node, e, RELU),
        {"RELU": ((1, "1.5.0"), None), "RELU6": ((1, "1.5.0"), None), "RELU_N1_TO_1": ((1, "1.5.0"), None)},
        homogeneous=True,
        per_channel=True,
        bounds=lambda node: RELU,
        exact="copy",
        kernel=Kernel("", ("QUANTIZE",), lambda node, output: _takes(RELU, output)),
    ),
}
