"""Two tensors element by element, either of which may be a constant."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.operators import Apply
from melanoma_edge.operators._attributes import need, shape
from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.versions import Version

if TYPE_CHECKING:
    from torch import Tensor


def meaning(name: str) -> Callable[[ir.Node], Apply]:
    """torch's function `name` of two tensors."""

    def build(node: ir.Node) -> Apply:
        import torch

        function: Callable[[Tensor, Tensor], Tensor] = getattr(torch, name)

        def apply(inputs: "Sequence[Tensor | None]") -> "Tensor":
            first, second = inputs
            return function(need(first), need(second))

        return apply

    return build


def refuses(node: ir.Node) -> str:
    """Operands of other ranks, which broadcast otherwise channels last."""
    output = shape(node.outputs[0])
    for value in node.inputs:
        if value is not None and not graph.is_constant(value) and len(shape(value)) != len(output):
            return f"operands of one rank, or constants, are accepted, found {shape(value)} for a result of {output}"
    return ""


def write(node: ir.Node, e: Emission, name: str, options: str) -> None:
    """Write TFLite's operator `name`, whose options are of class `options`."""
    inputs = [e.operand(node, 0), e.operand(node, 1)]
    write_tensors(node, e, name, options, inputs, e.output(node))


def write_tensors(
    node: ir.Node,
    e: Emission,
    name: str,
    options: str,
    inputs: Sequence[int],
    output: int,
    version: Version | None = None,
) -> None:
    """The same of tensors that are there."""
    e.op(name, inputs, [output], getattr(schema, options)(fusedActivationFunction=e.fused(node)), version)
