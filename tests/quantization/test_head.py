"""The refitted last layer: closer to the float network's probabilities, in float and in integers."""

from dataclasses import replace

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_graphs import Builder
from scipy.special import softmax
from small_network import IMAGES, SPEC, run_ort

from melanoma_edge.export import passes
from melanoma_edge.export.temperature import last_layer
from melanoma_edge.quantization.executor import Batches
from melanoma_edge.quantization.head import answers, fit, refit
from melanoma_edge.quantization.prepare import array, prepare, set_array
from melanoma_edge.quantization.quantize import evidence_for, quantize, scheme_of
from melanoma_edge.quantization.quantizers import minmax, static


@given(st.integers(2, 7), st.floats(0.3, 3), st.integers(0, 999))
def test_a_factor_and_shifts_are_found_again(classes: int, factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rough = rng.normal(size=(300, classes)) * 2
    shifts = rng.normal(size=classes)
    found = fit(rough, rough * factor + shifts)
    assert found.factor == pytest.approx(factor, rel=1e-2)
    np.testing.assert_allclose(found.shifts, shifts - shifts.mean(), atol=2e-2)


@given(st.integers(2, 7), st.integers(0, 999))
def test_the_divergence_never_grows(classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    exact = rng.normal(size=(50, classes)) * 5
    rough = exact + rng.normal(size=exact.shape)
    found = fit(rough, exact)
    p = softmax(exact, axis=1)

    def divergence(logits: np.ndarray) -> float:
        return float(-(p * np.log(softmax(logits, axis=1) + 1e-300)).sum(1).mean())

    assert divergence(rough * found.factor + found.shifts) <= divergence(rough) + 1e-9


@pytest.mark.parametrize("float_head", [True, False])
def test_the_quantised_network_comes_closer(float_head: bool) -> None:
    def error(model: ir.Model) -> float:
        answers = run_ort(model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
        return float(np.abs(softmax(answers, axis=1) - softmax(exact, axis=1)).mean())

    exact = run_ort(network(), IMAGES, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    recipe = replace(minmax.RECIPE, float_head=float_head)
    plain, _ = quantize(network(), IMAGES, SPEC, recipe)
    fitted, report = quantize(network(), IMAGES, SPEC, replace(recipe, head_correction=True))
    assert error(fitted) < error(plain)
    assert bool(report.float_nodes) == float_head


def test_logits_that_their_range_clips_do_not_stretch_the_factor() -> None:
    recipe = replace(minmax.RECIPE, float_head=False)
    seen = evidence_for(network(), IMAGES, SPEC, recipe)
    model, scheme = scheme_of(seen, recipe)
    batches = Batches(IMAGES, SPEC)
    wanted, logits = answers(seen.program, batches), str(model.graph.outputs[0].name)
    narrow = replace(scheme.activations[logits], scale=scheme.activations[logits].scale / 4)
    weights = []
    for affine in (scheme.activations[logits], narrow):
        copy = model.clone()
        refit(copy, replace(scheme, activations={**scheme.activations, logits: affine}), batches, wanted)
        layer = last_layer(copy)
        assert layer is not None
        weights.append(array(layer.inputs[1]))
    np.testing.assert_array_equal(*weights)


def network() -> ir.Model:
    """Few channels with many levels between them: rounding to 8 bits shows in the answers."""
    b = Builder((1, 3, SPEC.size, SPEC.size), np.random.default_rng(3))
    x = b.image
    for _ in range(5):
        x = b.op("Clip", b.conv(x, 8, 3), b.const(0), b.const(6))
    weights = b.random(2, 8, scale=4.0)
    model = b.done(b.op("Gemm", b.op("Flatten", b.op("GlobalAveragePool", x)), weights, b.random(2), transB=1))
    passes.apply(model, "clean")
    return model


def test_a_network_that_ends_otherwise_is_left_alone() -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    model = prepare(b.done(b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 2))))))
    assert last_layer(model) is None
    assert last_layer(prepare(network())) is not None


@pytest.mark.parametrize("wild", [False, True])
def test_exact_sums_are_given_up_where_they_cost_accuracy(wild: bool) -> None:
    """A feature a thousand times as large as the others takes the bits that they need."""
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op("Relu", b.conv(b.op("Relu", b.conv(b.image, 16, 3, strides=[2, 2])), 64))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    gemm, conv = (next(n for n in reversed(list(model.graph)) if n.op_type == kind) for kind in ("Gemm", "Conv"))
    if wild:
        for node, axis, factor in ((conv, 0, 2000.0), (gemm, 1, 1 / 2000)):
            weight = array(node.inputs[1]).copy()
            np.moveaxis(weight, axis, 0)[0] *= factor
            set_array(node.inputs[1], weight)
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    recipe = replace(static.RECIPE, equalization=False)
    quantized, report = quantize(model, IMAGES, SPEC, recipe)
    assert bool(report.inexact_nodes) == wild
    assert any(n.op_type == "Sub" for n in quantized.graph) != wild
