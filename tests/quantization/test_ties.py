"""Results of sums, products and means keep away from halves, and scales barely move for it."""

from dataclasses import replace

import numpy as np
import onnx_ir as ir
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder

from melanoma_edge.quantization.affine import Affine, saturates_at
from melanoma_edge.quantization.limits import output_group
from melanoma_edge.quantization.placement import Placement, constant_operands, place, variable_inputs
from melanoma_edge.quantization.prepare import array, prepare
from melanoma_edge.quantization.ties import APART, NEAR, SUM, avoid_ties, fraction

SCALES = st.floats(0.005, 0.2).map(lambda s: float(np.float32(s)))
XNNPACK_SUM = 2 * 255 * 2.0**-22  # error of two multipliers of 21 bits
FLOAT = 4 * 2.0**-24  # relative error of a few float32 operations


def setting(b: Builder) -> tuple[ir.Model, Placement]:
    model = prepare(b.model)
    return model, place(model, image=Affine(1 / 128, 128), float_head=False, float_nodes=())


def results(model: ir.Model, placement: Placement, scales: dict[str, Affine], name: str) -> np.ndarray:
    """All that the node can compute, in steps of its output, over all integers that it can read."""
    node = next(n for n in model.graph if n.name == name)
    read = [scales[placement.groups[str(v.name)]] for v in variable_inputs(node)]
    output = scales[output_group(node, placement)].scale
    if constant_operands(node):
        constant = scales[str(constant_operands(node)[0].name)]
        read.append(Affine(1.0, 0))
        fixed = np.rint(array(constant_operands(node)[0]) / constant.scale) * constant.scale
    integers = [(np.arange(256) - a.zero_point) * a.scale for a in read]
    if constant_operands(node):
        integers[1] = fixed.reshape(-1).astype(np.float64)
    if node.op_type == "GlobalAveragePool":
        shape = node.inputs[0].shape.numpy()  # type: ignore[union-attr]
        pixels = int(np.prod(shape[2:]))
        sums = np.arange(256 * pixels) - read[0].zero_point * pixels
        exact = sums * read[0].scale / pixels
    else:
        combine = np.add if node.op_type == "Add" else np.multiply
        exact = combine(*np.ix_(*integers))
    return np.asarray(exact / output)


def nearest_half(model: ir.Model, placement: Placement, scales: dict[str, Affine], name: str) -> float:
    return float(np.abs(results(model, placement, scales, name) % 1 - 0.5).min())


def blocks() -> Builder:
    """A chain of residual sums, squeeze and excite with factors for the gate, a hard-swish in parts, and a mean."""
    b = Builder((1, 3, 8, 8))
    x = b.conv(b.image, 4)
    for _ in range(3):
        x = b.op("Add", b.conv(x, 4), x)
    gate = b.op("Sigmoid", b.conv(b.op("GlobalAveragePool", x), 4))
    gate = b.op("Mul", gate, b.const(np.linspace(0.1, 3, 4).reshape(1, 4, 1, 1)))
    x = b.op("Mul", x, gate)
    x = b.op("Mul", x, b.op("Clip", b.op("Add", x, b.const(3)), b.const(0), b.const(6)))
    b.op("Mul", b.op("GlobalAveragePool", x), b.const(1 / 6))
    return b


@settings(max_examples=30)
@given(st.lists(SCALES, min_size=20, max_size=20), st.lists(st.integers(0, 255), min_size=20, max_size=20))
def test_nothing_lies_beside_a_half_and_scales_move_little(sizes: list[float], zeros: list[int]) -> None:
    model, placement = setting(blocks())
    groups = sorted(set(placement.groups.values()) - set(placement.fixed))
    chosen = dict(placement.fixed) | {g: Affine(*pair) for g, *pair in zip(groups, sizes, zeros, strict=False)}
    chosen |= {c: Affine(float(np.float32(3 / 255)), 0) for c in placement.constants}
    for group, (low, high) in placement.bounds.items():
        chosen[group] = Affine(float(np.float32((high - low) / 255)), 0)
    scales, close = avoid_ties(model, placement, chosen)
    assert not close
    for node in model.graph:
        if node.op_type in ("Add", "Mul", "GlobalAveragePool"):
            largest = min(float(np.abs(results(model, placement, scales, str(node.name))).max()), 256.0)
            wanted = XNNPACK_SUM if node.op_type == "Add" else FLOAT * largest
            assert nearest_half(model, placement, scales, str(node.name)) > wanted, node
    for group in groups:
        assert 0.9 < scales[group].scale / chosen[group].scale < 1.1
        assert scales[group].zero_point == chosen[group].zero_point
    assert all(saturates_at(scales[group], *bounds) for group, bounds in placement.bounds.items())


def test_fixed_scales_stay_and_the_other_side_moves() -> None:
    b = Builder((1, 3, 8, 8))
    b.op("Add", b.op("Sigmoid", b.conv(b.image, 4)), b.conv(b.image, 4))
    model, placement = setting(b)
    groups = [g for g in dict.fromkeys(placement.groups.values()) if g not in placement.fixed]
    scales = dict(placement.fixed) | {g: Affine(0.021 + 0.01 * i, 128) for i, g in enumerate(groups)}
    moved, close = avoid_ties(model, placement, scales)
    assert not close and all(moved[g] == affine for g, affine in placement.fixed.items())
    add = next(n for n in model.graph if n.op_type == "Add")
    assert nearest_half(model, placement, moved, str(add.name)) > XNNPACK_SUM


def test_what_cannot_be_moved_is_told() -> None:
    b = Builder((1, 3, 8, 8))
    gate = b.op("Sigmoid", b.conv(b.image, 3))
    b.op("Sigmoid", b.op("Add", gate, b.image))
    model, placement = setting(b)
    add = next(n for n in model.graph if n.op_type == "Add")
    fixed = set(placement.groups.values())
    scales = {g: Affine(0.021, 128) for g in fixed} | dict(placement.fixed)
    locked = replace(placement, fixed={g: scales[g] for g in fixed})
    assert avoid_ties(model, locked, scales)[1] == {str(add.name)}


@given(st.floats(1e-5, 200), st.booleans())
def test_fractions_are_near_and_have_odd_denominators(ratio: float, least: bool) -> None:
    found = fraction(ratio, least=least)
    assert abs(found / ratio - 1) <= NEAR + 1e-12 and (found >= ratio or not least)
    numerators = np.arange(1, 50_000)
    denominators = numerators / found
    whole = np.abs(denominators - np.rint(denominators)) < 1e-6 * denominators
    assert (np.rint(denominators)[whole] % 2 == 1).any()


def test_the_limits_of_this_file_are_above_what_runtimes_differ_by() -> None:
    assert APART > FLOAT * 256  # of the largest result, 256 steps
    assert 1 / (2 * SUM) > 2 * XNNPACK_SUM and SUM % 2 == 1
