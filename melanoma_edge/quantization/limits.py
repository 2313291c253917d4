"""Scales brought inside the limits of the integer kernels, so that the delegate takes every operator."""

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from melanoma_edge import operators
from melanoma_edge.operators import Kernel
from melanoma_edge.quantization.affine import Affine, saturates_at
from melanoma_edge.quantization.placement import Placement, constant_operands, variable_inputs
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.weights import weight_scales

ROUNDS = 8  # a raised scale can push the next operator over its limit, not many in a row
MARGIN = 1 + 1e-5  # against float32 rounding at the limit itself


def respect(
    model: ir.Model, placement: Placement, chosen: Mapping[str, Affine]
) -> tuple[dict[str, Affine], frozenset[str]]:
    """`chosen` (by group, and by constant) with the scales raised that are too fine beside their neighbours, and the
    nodes that no raise brings inside, which must run in float.

    A raised scale loses nothing that counts: it stays far finer than the scale that the operator works in.
    """
    scales = dict(chosen)
    outside: set[str] = set()
    for _ in range(ROUNDS):
        outside = set()
        before = dict(scales)
        for node in model.graph:
            kernel = operators.kernel(node) if node.name in placement.integer else None
            if kernel is not None and not _fit(node, kernel, placement, scales):
                outside.add(str(node.name))
        if scales == before:
            break
    absorbed = {
        placement.groups.get(str(n.outputs[0].name)): str(n.name)
        for n in model.graph
        if operators.clamp_bounds(n) is not None
    }
    for group, bounds in placement.bounds.items():
        if not saturates_at(scales[group], *bounds):
            outside.add(absorbed[group])
    return scales, frozenset(outside)


def ratios(node: ir.Node, inputs: list[float], output: float) -> list[float]:
    """The requantisation scales that the kernel of `node` is limited in."""
    if operators.of(node).weighted:
        finest = weight_scales(array(node.inputs[1]), array(node.inputs[2]), inputs[0], output)
        return [inputs[0] * float(finest.max()) / output, inputs[0] * float(finest.min()) / output]
    if operators.of(node).product:
        return [float(np.prod(inputs)) / output]
    return [scale / output for scale in inputs]


def _fit(node: ir.Node, kernel: Kernel, placement: Placement, scales: dict[str, Affine]) -> bool:
    """Raise scales around one node where its limits ask for it; whether the node is inside them now."""
    read = [placement.groups[str(v.name)] for v in variable_inputs(node)]
    read += [placement.groups.get(str(v.name), str(v.name)) for v in constant_operands(node)]
    made = output_group(node, placement)
    low, high = kernel.ratio
    found = ratios(node, [scales[g].scale for g in read], scales[made].scale)
    if max(found) >= high:
        return _raise(made, max(found) / high * MARGIN, placement, scales)
    if min(found) < low:
        return _raise(read[int(np.argmin(found)) % len(read)], low / min(found) * MARGIN, placement, scales)
    return True


def output_group(node: ir.Node, placement: Placement) -> str:
    """The group that an integer node writes: its own output's, or that of the Relu or Clip which takes it over."""
    value = node.outputs[0]
    return placement.groups.get(str(value.name)) or placement.groups[str(value.consumers()[0].outputs[0].name)]


def _raise(group: str, factor: float, placement: Placement, scales: dict[str, Affine]) -> bool:
    if group in placement.fixed:
        return False
    raised = Affine(float(np.float32(scales[group].scale * factor)), scales[group].zero_point)
    if group in placement.bounds and not saturates_at(raised, *placement.bounds[group]):
        return False
    scales[group] = raised
    return True
