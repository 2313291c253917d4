"""Scales under which no result lies beside a rounding boundary, so that every runtime rounds it to the same integer.

Each runtime adds, multiplies and averages quantised values in its own way: XNNPACK's ADD has integer multipliers of 20
bits, ONNX Runtime computes in float, and ties go up here and to the even number there. Where the ratio of an operand's
scale to the output's is p / n with n odd, every result is a multiple of 1 / n, none of them nearer to a half than
1 / 2n, far more than these ways differ by. Such ratios are dense: scales move by a percent at most, most by a tenth.
"""

import math
from collections.abc import Collection, Mapping

import numpy as np
import onnx_ir as ir

from melanoma_edge import operators
from melanoma_edge.quantization.affine import LEVELS, Affine
from melanoma_edge.quantization.channels import is_scaling
from melanoma_edge.quantization.limits import output_group
from melanoma_edge.quantization.placement import Placement, constant_operands, variable_inputs
from melanoma_edge.quantization.prepare import array

SUM = 511  # odd: the denominator of sums, whose two ratios need the same
NEAR = 0.01  # largest change of a scale for a product or mean
APART = 1e-3  # distance from a half that a result keeps where one operand is a constant
NUDGE, NUDGES = 1e-3, 20


def avoid_ties(
    model: ir.Model, placement: Placement, scales: Mapping[str, Affine]
) -> tuple[dict[str, Affine], frozenset[str]]:
    """`scales` (by group, and by constant) moved for every sum, product and mean in integers, and the nodes for which
    there is no such move.

    The scale of a group that saturates at a Relu or Clip only goes down.
    """
    moved = dict(scales)
    held = set(placement.fixed)
    close: set[str] = set()
    for node in model.graph:
        kernel = operators.kernel(node)
        if node.name not in placement.integer or kernel is None or not kernel.rounds:
            continue
        read = [placement.groups[str(v.name)] for v in variable_inputs(node)]
        made = output_group(node, placement)
        if is_scaling(node):  # so many products that one of them always lies near a half
            factors = [str(v.name) for v in constant_operands(node)]
            fits = _product(node, [*read, *factors], made, placement, moved, held | set(factors))
        elif constant_operands(node):
            fits = _with_constant(node, read[0], made, placement, moved, made not in held)
        elif kernel.rounds == "sum":
            fits = _sum(read, made, placement, moved, held)
        else:
            fits = _product(node, read, made, placement, moved, held)
        if not fits:
            close.add(str(node.name))
        held |= {*read, made}
    return moved, frozenset(close)


def fraction(ratio: float, *, least: bool = False) -> float:
    """The p / n of smallest p with n odd that is within NEAR of `ratio`, and with `least` not below it."""
    p = 0
    while True:
        p += 1
        n = 2 * math.floor((p / ratio - 1) / 2) + 1 if least else 2 * round((p / ratio - 1) / 2) + 1
        if n > 0 and abs(p / n / ratio - 1) <= NEAR:
            return p / n


def _sum(read: list[str], made: str, placement: Placement, scales: dict[str, Affine], held: Collection[str]) -> bool:
    """Make both ratios multiples of 1 / SUM."""
    output = scales[made].scale
    fast = [g for g in dict.fromkeys(read) if g in held]
    if fast and made not in held:
        parts = scales[fast[0]].scale / output * SUM
        output = scales[fast[0]].scale * SUM / max(1, math.ceil(parts) if made in placement.bounds else round(parts))
        _set(made, output, scales)
        fast = fast[1:]
    for group in dict.fromkeys(g for g in read if g not in held):
        parts = scales[group].scale / output * SUM
        _set(group, output * max(1, math.floor(parts) if group in placement.bounds else round(parts)) / SUM, scales)
    return all(_whole(scales[g].scale / output * SUM) for g in fast)


def _product(
    node: ir.Node, read: list[str], made: str, placement: Placement, scales: dict[str, Affine], held: Collection[str]
) -> bool:
    """Make the ratio of a product of values, or of a mean, a fraction with an odd denominator."""
    shape = node.inputs[0].shape if node.inputs[0] is not None else None
    pixels = 1 if operators.of(node).product or shape is None else int(np.prod(shape.numpy()[2:]))
    ratio = float(np.prod([scales[g].scale for g in read])) / pixels / scales[made].scale
    wanted = fraction(ratio, least=made in placement.bounds)
    if made not in held:
        _set(made, scales[made].scale * ratio / wanted, scales)
        return True
    free = [g for g in read if g not in held and g not in placement.bounds]
    if not free or read.count(free[0]) > 1:
        return False
    _set(free[0], scales[free[0]].scale * wanted / ratio, scales)
    return True


def _with_constant(
    node: ir.Node, read: str, made: str, placement: Placement, scales: dict[str, Affine], free: bool
) -> bool:
    """Move the output's scale until none of the 256 results is near a half."""
    operand = constant_operands(node)[0]
    affine = scales[str(operand.name)]
    constant = (np.rint(array(operand) / affine.scale) * affine.scale).reshape(-1, 1).astype(np.float64)
    value = (np.arange(LEVELS + 1) - scales[read].zero_point) * scales[read].scale
    exact = value * constant if operators.of(node).product else value + constant
    start, direction = scales[made].scale, -1 if made in placement.bounds else 1
    for nudge in range(NUDGES if free else 1):
        scale = float(np.float32(start * (1 + direction * nudge * NUDGE)))
        if np.abs(exact / scale % 1 - 0.5).min() >= APART:
            _set(made, scale, scales)
            return True
    return False


def _set(group: str, scale: float, scales: dict[str, Affine]) -> None:
    scales[group] = Affine(float(np.float32(scale)), scales[group].zero_point)


def _whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-4 * max(number, 1)
