"""Attributes and constant operands of nodes, as operators read them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph

if TYPE_CHECKING:
    from torch import Tensor


def need(value: "Tensor | None") -> "Tensor":
    """An operand that is there."""
    assert value is not None, "a required operand is missing"
    return value


def ints(node: ir.Node, name: str, default: Sequence[int]) -> list[int]:
    """A list attribute."""
    return [int(i) for i in node.attributes.get_ints(name, default) or default]


def shape(value: ir.Value | None) -> tuple[int, ...]:
    """The known shape of a value; () where it is not known."""
    return () if value is None else graph.dims(value) or ()


def given(node: ir.Node, index: int) -> ir.Value | None:
    """Input `index`, None where it is left out."""
    return node.inputs[index] if index < len(node.inputs) else None


def axes(node: ir.Node) -> list[int] | None:
    """The constant axes of a node, an input or an attribute; None where they are neither."""
    value = given(node, 1)
    found: Sequence[int] | NDArray[np.generic] | None = graph.constant(value)
    if value is None:
        found = node.attributes.get_ints("axes", None)
    return None if found is None else [int(a) for a in np.asarray(found).reshape(-1)]


def not_constant(node: ir.Node, *indices: int) -> str:
    """Which of the inputs is computed, in words; "" when none is."""
    for index in indices:
        value = given(node, index)
        if value is not None and not graph.is_constant(value):
            return f"input {index} ({value.name!r}) must be a constant"
    return ""


def not_image(node: ir.Node) -> str:
    """What the first input is instead of an image of known shape, in words; "" when it is one."""
    found = shape(node.inputs[0])
    return "" if len(found) == 4 else f"it works on 4-D images of known shape, found shape {found}"
