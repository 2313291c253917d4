"""A temperature folded into a network's last layer: its logits come out calibrated, and no app needs code for it."""

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph, operators
from melanoma_edge.export.passes._layer import is_layer, scale_output


def last_layer(model: ir.Model) -> ir.Node | None:
    """The Conv or Gemm with constant weights that makes the logits, None when something else does, or when something
    besides the logits is made from its output.
    """
    (value,) = model.graph.outputs
    uses = 0
    while len(list(value.uses())) == uses and (node := value.producer()) is not None:
        if is_layer(node):
            return node
        if not operators.of(node).keeps_order or node.inputs[0] is None:
            return None
        value, uses = node.inputs[0], 1
    return None


def fold(model: ir.Model, temperature: float, shifts: Sequence[float]) -> bool:
    """Let the last layer give logits / `temperature` + `shifts` `[K]`, in place; whether that could be done.

    Weights and bias are rounded to float32 once more: the logits agree to some 1e-6 of the largest. Raises ValueError
    for a temperature that is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is positive: got {temperature}")
    layer = last_layer(model)
    if layer is None:
        return False
    scale_output(layer, np.float64(1 / temperature), np.asarray(shifts, np.float64))
    graph.tidy(model)
    return True
