"""Rescaled channels: the same function in float, a smaller expected error in 8 bits."""

import numpy as np
import onnx_ir as ir
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, networks

from melanoma_edge.export import passes
from melanoma_edge.quantization.channels import channel_classes
from melanoma_edge.quantization.equalize import channel_extremes, equalize
from melanoma_edge.quantization.executor import load, run
from melanoma_edge.quantization.importance import importance
from melanoma_edge.quantization.prepare import array, prepare, set_array


def equalized(model: ir.Model, images: torch.Tensor) -> dict[str, float]:
    """Equalise `model` in place, as if every value were quantised."""
    program = load(model)
    names = {step.output for step in program.steps}
    weights = {str(n.inputs[1].name) for n in model.graph if n.op_type in ("Conv", "Gemm") and n.inputs[1].const_value}
    measured = importance(program, [images], values=names, weights=weights)
    return equalize(model, channel_extremes(program, [images], names), measured, names)


def inverted_residual(*, spread: float = 1.0, clip: bool = False) -> tuple[ir.Model, torch.Tensor]:
    """Pointwise, depthwise and pointwise convolution in front of a classifier; channels differ by `spread` in range."""
    b = Builder((1, 3, 8, 8), np.random.default_rng(0))

    def active(x: ir.Value) -> ir.Value:
        return b.op("Clip", x, b.const(0), b.const(6)) if clip else b.op("Relu", x)

    x = active(b.conv(b.image, 8))
    x = active(b.conv(x, 8, 3, group=8))
    x = b.conv(x, 5)
    model = prepare(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2)))
    first, second = [n for n in model.graph if n.op_type == "Conv"][:2]
    factors = np.geomspace(1, spread, 8)
    for i in (1, 2):
        shape = (-1, *[1] * (array(first.inputs[i]).ndim - 1))
        set_array(first.inputs[i], array(first.inputs[i]) / factors.reshape(shape))
    set_array(second.inputs[1], array(second.inputs[1]) * factors.reshape(-1, 1, 1, 1))
    return model, torch.from_numpy(np.random.default_rng(1).normal(size=(6, 3, 8, 8)).astype(np.float32))


@settings(max_examples=25)
@given(model=networks(), seed=st.integers(0, 100))
def test_the_float_function_stays_and_no_expected_error_grows(model: ir.Model, seed: int) -> None:
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    prepared = prepare(model)
    shape = [int(d) for d in prepared.graph.inputs[0].shape]  # type: ignore[union-attr, arg-type]
    images = torch.from_numpy(np.random.default_rng(seed).normal(size=(4, *shape[1:])).astype(np.float32))
    before = run(load(prepared), images)["logits"]
    gains = equalized(prepared, images)
    after = run(load(prepared), images)["logits"]
    assert torch.allclose(after, before, rtol=1e-4, atol=1e-4 * float(before.abs().max()) + 1e-6)
    assert all(0 <= gain <= 1 for gain in gains.values())


@pytest.mark.parametrize("clip", [False, True])
def test_channels_of_unequal_range_come_to_use_the_whole_range(clip: bool) -> None:
    model, images = inverted_residual(spread=30.0, clip=clip)
    gains = equalized(model, images)
    program = load(model)
    names = {step.output for step in program.steps}
    highs = channel_extremes(program, [images], names)[next(n for n in gains)].high
    assert min(gains.values()) < 0.3
    assert highs.max() / np.sort(highs)[1] < 10


def test_what_is_even_already_gains_little() -> None:
    _, images = inverted_residual()
    uneven, even = (equalized(inverted_residual(spread=s)[0], images) for s in (30.0, 1.0))
    assert min(even.values()) > min(uneven.values())


def test_classes_run_from_layers_to_layers() -> None:
    model, _ = inverted_residual()
    groups = channel_classes(model.graph)
    assert [len(g.makers) for g in groups] == [1, 1, 1]
    assert [g.readers[0].op_type for g in groups] == ["Conv", "Conv", "Gemm"]
    assert groups[0].channels == 8


def test_an_operator_that_keeps_no_factor_ends_a_class() -> None:
    b = Builder((1, 3, 8, 8), np.random.default_rng(0))
    x = b.op("HardSwish", b.conv(b.image, 4))
    x = b.conv(b.op("Concat", b.conv(x, 4), x, axis=1), 4)
    model = prepare(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2)))
    assert [g.readers[0].op_type for g in channel_classes(model.graph)] == ["Gemm"]


def test_a_residual_sum_and_its_operands_are_one_class() -> None:
    b = Builder((1, 3, 8, 8), np.random.default_rng(0))
    x = b.conv(b.image, 4)
    x = b.op("Add", b.conv(b.op("Relu", b.conv(x, 6)), 4), x)
    model = prepare(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2)))
    residual = next(g for g in channel_classes(model.graph) if len(g.makers) == 2)
    assert residual.channels == 4 and {r.op_type for r in residual.readers} == {"Conv", "Gemm"}


def test_importance_of_a_linear_network_follows_from_its_weights() -> None:
    b = Builder((1, 2, 1, 1), np.random.default_rng(0))
    model = prepare(b.done(b.linear(b.op("Flatten", b.op("Relu", b.conv(b.image, 3))), 2)))
    relu = next(n for n in model.graph if n.op_type == "Relu")
    gemm = next(n for n in model.graph if n.op_type == "Gemm")
    name = str(relu.outputs[0].name)
    images = torch.ones(5, 2, 1, 1)
    found = importance(load(model), [images], values={name}, weights=set()).values[name]
    rows, logits = array(gemm.inputs[1]), run(load(model), images[:1])["logits"]
    slope = 2 * float(logits.softmax(1).prod())  # of the difference of the probabilities, by the margin
    np.testing.assert_allclose(found, (slope * (rows[1] - rows[0])) ** 2, rtol=1e-4)
