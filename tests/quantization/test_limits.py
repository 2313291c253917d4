import numpy as np
import onnx_ir as ir
from onnx_graphs import Builder

from melanoma_edge import operators
from melanoma_edge.quantization.affine import Affine, saturates_at
from melanoma_edge.quantization.limits import ratios, respect
from melanoma_edge.quantization.placement import Placement, constant_operands, place, variable_inputs
from melanoma_edge.quantization.prepare import prepare


def setting(b: Builder, x: ir.Value) -> tuple[ir.Model, Placement]:
    model = prepare(b.done(x))
    return model, place(model, image=Affine(1 / 128, 128), float_head=False, float_nodes=())


def outside(model: ir.Model, placement: Placement, scales: dict[str, Affine]) -> list[str]:
    wrong = []
    for node in model.graph:
        kernel = operators.kernel(node)
        if kernel and node.name in placement.integer:
            read = [placement.groups[str(v.name)] for v in variable_inputs(node)]
            read += [str(v.name) for v in constant_operands(node)]
            output = scales[placement.groups[str(node.outputs[0].name)]].scale
            found = ratios(node, [scales[g].scale for g in read], output)
            low, high = kernel.ratio
            wrong += [str(node.name)] * (min(found) < low or max(found) >= high)
    return wrong


def test_scales_that_are_too_fine_are_raised() -> None:
    b = Builder((1, 3, 4, 4))
    small, large = b.conv(b.image, 3), b.conv(b.image, 3)
    total = b.op("Add", b.op("Add", small, large), b.const(1e-6))
    model, placement = setting(b, b.op("Mul", total, b.const(2.0)))
    values = list(placement.groups)
    chosen = {
        g: Affine(float(np.float32(s)), 100) for g, s in zip(values[1:], [1e-6, 1.0, 3.0, 1e-4, 5.0], strict=True)
    }
    chosen |= {"image": Affine(1 / 128, 128)} | {c: Affine(1e-8, 0) for c in placement.constants}
    assert outside(model, placement, chosen)
    scales, left = respect(model, placement, chosen)
    assert not left and not outside(model, placement, scales)
    assert all(scales[g].scale >= chosen[g].scale and scales[g].zero_point == chosen[g].zero_point for g in chosen)


def test_scales_inside_the_limits_are_left_alone() -> None:
    b = Builder((1, 3, 4, 4))
    model, placement = setting(b, b.op("Add", b.conv(b.image, 3), b.image))
    chosen = {g: Affine(0.02, 128) for g in placement.groups.values()} | {"image": Affine(1 / 128, 128)}
    assert respect(model, placement, chosen) == (chosen, frozenset())


def test_what_must_saturate_is_not_raised_past_its_bound_but_runs_in_float() -> None:
    b = Builder((1, 3, 4, 4))
    x = b.conv(b.image, 3)
    clipped = b.op("Clip", b.op("Add", x, b.const(3)), b.const(0), b.const(6))
    model, placement = setting(b, clipped)
    group, source = placement.groups["logits"], placement.groups[str(x.name)]
    scale = float(np.float32(6 / 255))
    chosen = {"image": Affine(1 / 128, 128), source: Affine(100.0, 128), group: Affine(scale, 0)}
    chosen |= {c: Affine(0.01, 0) for c in placement.constants}
    scales, left = respect(model, placement, chosen)
    assert left == {node.name for node in model.graph if node.op_type == "Add"}
    assert saturates_at(scales[group], 0, 6)
