"""The refitted last layer: closer to the float network, and only where that layer is in float."""

from dataclasses import replace

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from small_network import IMAGES, SPEC, mobile, run_ort

from melanoma_edge.quantize.head import fit, last_layer
from melanoma_edge.quantize.prepare import prepare
from melanoma_edge.quantize.quantize import evidence_for, quantize, scheme_of
from melanoma_edge.quantize.quantizers import minmax, static, static_wi8_ai8


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


def test_the_quantised_network_comes_closer() -> None:
    def error(model: ir.Model) -> float:
        answers = run_ort(model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
        return float(np.abs(softmax(answers, axis=1) - softmax(exact, axis=1)).mean())

    exact = run_ort(mobile(), IMAGES, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    plain, _ = quantize(mobile(), IMAGES, SPEC, minmax.RECIPE)
    fitted, _ = quantize(mobile(), IMAGES, SPEC, replace(minmax.RECIPE, head_correction=True))
    assert error(fitted) < error(plain)


@pytest.mark.parametrize(("recipe", "there"), [(static.RECIPE, True), (static_wi8_ai8.RECIPE, False)])
def test_only_a_float_layer_is_refitted(recipe: static.Recipe, there: bool) -> None:
    model, scheme = scheme_of(evidence_for(mobile(), IMAGES, SPEC, recipe), recipe)
    assert (last_layer(model, scheme) is not None) == there
    assert last_layer(prepare(mobile()), scheme) is None or there
