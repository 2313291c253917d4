"""Float operators on grids: sums that are exact in any order, and the same integers behind them in every runtime."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx_graphs import Builder
from small_network import IMAGES, SPEC, excited, mobile, run_ort

from melanoma_edge import formats
from melanoma_edge.export import passes
from melanoma_edge.export.emit import emit
from melanoma_edge.export.temperature import last_layer
from melanoma_edge.quantization import scheme
from melanoma_edge.quantization.affine import Affine
from melanoma_edge.quantization.grids import NONE, clear_of_halves, halves_stay, magic, snap, step_of
from melanoma_edge.quantization.prepare import array, set_array
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static, static_wi8_ai8
from melanoma_edge.quantization.ranges import observation
from melanoma_edge.quantization.sums import on_grid


@given(st.lists(st.floats(-1000, 1000, width=32), min_size=1, max_size=20), st.integers(-10, 2))
def test_two_additions_round_as_round_does(values: list[float], power: int) -> None:
    step, x = 2.0**power, np.array(values, np.float32)
    x = np.clip(x, -(2**21) * step, 2**21 * step)
    added = (x + magic(step)) - magic(step)
    np.testing.assert_array_equal(added, np.rint(x / np.float32(step)) * np.float32(step))
    np.testing.assert_array_equal(added, snap(torch.from_numpy(x), step).numpy())
    np.testing.assert_array_equal(added, on_grid(x, np.full(len(x), step)))


@given(st.floats(0.01, 0.5), st.integers(0, 255), st.integers(-12, -6))
def test_grids_for_integers_keep_clear_of_halves(size: float, zero: int, power: int) -> None:
    affine, step = Affine(float(np.float32(size)), zero), 2.0**power
    k = np.arange(-(2**16), 2**16)
    values = (k * step)[(k * step >= affine.low) & (k * step <= affine.high)].astype(np.float32)
    divided = np.rint(values / np.float32(affine.scale))
    multiplied = np.rint(values * (np.float32(1) / np.float32(affine.scale)))
    if clear_of_halves(step, affine):
        np.testing.assert_array_equal(divided, multiplied)
    else:
        assert (np.abs(values.astype(np.float64) / affine.scale % 1 - 0.5) < 2e-4).any() or len(values) < 3


def test_steps_hold_the_values_seen() -> None:
    seen = observation(torch.tensor([-3.0, 5.5]))
    assert step_of(seen) == 2.0**-7 and 5.5 / step_of(seen) <= 2**10


def gated() -> ir.Model:
    return excited(spread=100.0)


def residual() -> ir.Model:
    """A stem and four inverted residuals: enough sums that some lie beside a half."""
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op("Clip", b.conv(b.image, 16, 3), b.const(0), b.const(6))
    for _ in range(4):
        wide = b.op("Clip", b.conv(x, 48), b.const(0), b.const(6))
        wide = b.op("Clip", b.conv(wide, 48, 3, group=48), b.const(0), b.const(6))
        x = b.op("Add", b.conv(wide, 16), x)
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    return model


def first(model: ir.Model, count: int) -> tuple[str, ...]:
    """Names of the first nodes."""
    return tuple(str(n.name) for n in list(model.graph)[:count])


def difference(model: ir.Model, folder: Path) -> float:
    """Largest difference of a logit between LiteRT and ONNX Runtime."""
    emit(model, folder / "m.tflite", name="m")
    images = np.random.default_rng(9).integers(0, 256, (100, *IMAGES.shape[1:]), np.uint8)
    lite = formats.load(folder / "m.tflite", SPEC)
    ours = np.concatenate([lite(image[np.newaxis]) for image in images])
    theirs = run_ort(model, images, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    return float(np.abs(ours - theirs).max())


@pytest.mark.parametrize("network", [mobile, residual, gated])
@pytest.mark.parametrize("kept", [0, 2, 5, 9])
def test_tflite_and_onnx_make_the_same_integers(network: Callable[[], ir.Model], kept: int, tmp_path: Path) -> None:
    model = network()
    recipe = replace(static.RECIPE, float_nodes=first(model, kept))
    quantized, report = quantize(model, IMAGES, SPEC, recipe)
    assert set(recipe.float_nodes) <= set(report.float_nodes)
    apart = difference(quantized, tmp_path)
    assert apart == 0.0
    assert (kept and network is gated) or not report.inexact_nodes  # a sigmoid in float is not exact


@pytest.mark.parametrize("kept", [0, 5])
def test_without_grids_and_ratios_they_do_not(kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were they not to matter here, the test above would not tell."""
    monkeypatch.setattr(scheme, "lay", lambda *_: (NONE, frozenset()))
    monkeypatch.setattr(scheme, "avoid_ties", lambda _model, _placement, scales: (dict(scales), frozenset()))
    model = residual()
    quantized, _ = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=first(model, kept)))
    assert difference(quantized, tmp_path) > 1e-4


def test_what_is_not_exact_is_told() -> None:
    model = gated()
    kinds = [n.op_type for n in model.graph]
    upto = first(model, kinds.index("Sigmoid") + 1)
    _, report = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=upto))
    assert upto[-1] in report.inexact_nodes


def test_a_graph_of_integers_alone_has_no_grids() -> None:
    model, report = quantize(mobile(), IMAGES, SPEC, static_wi8_ai8.RECIPE)
    assert not report.float_nodes and not any(isinstance(n, ir.Node) and n.op_type == "Sub" for n in model.graph)


def on_grids(b: Builder, value: ir.Value, step: float) -> ir.Value:
    constant = b.const(float(magic(step)))
    return b.op("Sub", b.op("Add", value, constant), constant)


@pytest.mark.parametrize("rounded", [False, True])
def test_onnx_runtime_joins_an_add_with_the_layer_before_it(rounded: bool) -> None:
    """Each sum is exact by itself, the two together are not: their order shows, unless a rounding keeps them apart."""
    b = Builder((1, 3, SPEC.size, SPEC.size))
    other = b.op("Relu", b.conv(b.image, 16))
    of_other = next(n for n in b.graph if n.op_type == "Conv")
    value = b.conv(on_grids(b, b.op("Relu", b.conv(b.image, 16, 3)), 2.0**-6), 16)
    model = b.done(b.op("Add", on_grids(b, value, 2.0**-6) if rounded else value, other))
    for node in (n for n in model.graph if n.op_type == "Conv"):
        step, factor = (2.0**-14, 1) if node is of_other else (0.25, 8)
        for operand in node.inputs[1:]:
            set_array(operand, on_grid(array(operand), np.array(step)) * np.float32(factor))
    levels = ort.GraphOptimizationLevel
    joined, apart = (run_ort(model, IMAGES[:4], level) for level in (levels.ORT_ENABLE_ALL, levels.ORT_DISABLE_ALL))
    assert np.array_equal(joined, apart) == rounded


def kinds_behind(model: ir.Model, op_type: str) -> list[list[str]]:
    """Of each float operator of a kind: what reads it."""
    return [[n.op_type for n in node.outputs[0].consumers()] for node in model.graph if node.op_type == op_type]


def test_only_what_sums_read_is_rounded() -> None:
    model = mobile()
    swish = [n.op_type for n in model.graph].index("Mul") + 2  # a convolution, its hard-swish, another convolution
    quantized, _ = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=first(model, swish)))
    assert ["Add", "Mul"] in [sorted(kinds) for kinds in kinds_behind(quantized, "Conv")]  # x + 3, x times
    assert ["Mul"] in kinds_behind(quantized, "Clip")
    assert kinds_behind(quantized, "Mul")[0] == ["Add"]  # of its rounding


def test_what_a_layer_makes_for_an_add_alone_is_rounded() -> None:
    model = residual()
    upto = first(model, [n.op_type for n in model.graph].index("Add") + 1)
    quantized, _ = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=upto))
    addition = next(n for n in quantized.graph if n.op_type == "Add" and n.name == upto[-1])
    assert {v.producer().op_type for v in addition.inputs} == {"Sub"}  # type: ignore[union-attr]


def test_what_a_sigmoid_reads_and_makes_is_rounded() -> None:
    model = gated()
    upto = first(model, [n.op_type for n in model.graph].index("Mul") + 1)
    quantized, _ = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=upto))
    assert kinds_behind(quantized, "Conv")[0] == kinds_behind(quantized, "Sigmoid")[0] == ["Add"]


def test_what_elements_read_of_a_mean_is_rounded() -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    mean = b.op("Relu", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 16, 3))))
    model = b.done(b.linear(b.op("Flatten", b.conv(b.op("Mul", mean, mean), 16)), 2))
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    upto = first(model, [n.op_type for n in model.graph].index("Mul") + 1)
    quantized, report = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=upto))
    assert not report.inexact_nodes
    relu_of_mean = next(n for n in quantized.graph if n.op_type == "GlobalAveragePool").outputs[0].consumers()[0]
    assert relu_of_mean.op_type == "Relu" and [n.op_type for n in relu_of_mean.outputs[0].consumers()] == ["Add"]


def last_sum(model: ir.Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the last layer of a quantised graph reads `[N, I]`, its weights `[C, I]` and its bias `[C]`."""
    layer = last_layer(model)
    assert layer is not None and layer.inputs[0] is not None
    read = model.clone()
    value = next(v for n in read.graph for v in n.outputs if v.name == layer.inputs[0].name)
    read.graph.outputs.clear()
    read.graph.outputs.append(value)
    return run_ort(read, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL), *(array(v) for v in layer.inputs[1:])


@pytest.mark.parametrize("network", [mobile, residual, gated])
def test_the_logits_are_the_same_bits_in_whatever_order_they_are_added(network: Callable[[], ir.Model]) -> None:
    quantized, report = quantize(network(), IMAGES, SPEC, static.RECIPE)
    values, weight, bias = last_sum(quantized)
    assert not report.inexact_nodes
    exact_sums = values.astype(np.float64) @ weight.T.astype(np.float64) + bias
    for order in (np.arange(values.shape[1]), np.random.default_rng(0).permutation(values.shape[1])):
        total = np.zeros_like(exact_sums, np.float32)
        for i in order:
            total += values[:, i : i + 1] * weight[:, i]
        np.testing.assert_array_equal(total + bias, exact_sums)


def test_a_relu6_in_float_meets_no_half_of_the_integers_behind_it() -> None:
    """With 6 / 255, its 1.0 lies in the middle of 42 and 43."""
    assert not any(clear_of_halves(2.0**power, Affine(float(np.float32(6 / 255)), 0)) for power in range(-12, -4))
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op("Clip", b.op("Mul", b.conv(b.image, 16, 3), b.const(40)), b.const(0), b.const(6))
    x = b.conv(x, 8, 3)
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    upto = first(model, [n.op_type for n in model.graph].index("Clip") + 1)
    _, report = quantize(model, IMAGES, SPEC, replace(static.RECIPE, ranges="minmax", float_nodes=upto))
    crossing = str(next(n for n in model.graph if n.op_type == "Clip").outputs[0].name)
    assert 0.98 * 6 / 255 < report.tensors[crossing].scale < 6 / 255
    assert set(upto) <= set(report.float_nodes) and not report.inexact_nodes


@pytest.mark.parametrize(("pixels", "stay"), [(25, True), (49, True), (64, True), (30, False), (121, False)])
def test_means_of_some_numbers_of_pixels_do_not_come_out_in_the_middle_of_two_steps(pixels: int, stay: bool) -> None:
    assert halves_stay(pixels) is stay
