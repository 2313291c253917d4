"""A temperature in the last layer: the logits of the graph, divided by it, and nothing else changed."""

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder
from small_network import IMAGES, SPEC, mobile, run_ort

from melanoma_edge.export import passes
from melanoma_edge.export.temperature import fold, last_layer
from melanoma_edge.verify.predictions import softmax

EXACT = ort.GraphOptimizationLevel.ORT_DISABLE_ALL


def ends_in_convolution(bias: bool) -> ir.Model:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 6, 3)))
    model = b.done(b.op("Flatten", b.conv(x, 2, bias=bias)))
    passes.apply(model, "clean")
    return model


@settings(max_examples=8, deadline=None)
@given(st.floats(0.05, 20), st.sampled_from([0.0, -3.0]))
def test_the_logits_are_divided_and_shifted(temperature: float, shift: float) -> None:
    for make in (mobile, lambda: ends_in_convolution(True), lambda: ends_in_convolution(False)):
        before, model = run_ort(make(), IMAGES, EXACT), make()
        assert fold(model, temperature, (-shift, shift))
        after = run_ort(model, IMAGES, EXACT)
        wanted = before.astype(np.float64) / temperature + np.array([-shift, shift])
        assert np.abs(after - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())
        order = np.argsort(softmax(before)[:, 1], kind="stable")
        assert (np.diff(softmax(after)[order, 1]) >= -1e-5).all(), "the ranking changed"
        if not shift:
            np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_weights_that_another_node_reads_stay_as_they_are() -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    weights, bias = b.random(3, 3, 1, 1), b.random(3)
    x = b.op("Relu", b.op("Conv", b.image, weights, bias, kernel_shape=[1, 1]))
    x = b.op("Conv", b.op("GlobalAveragePool", x), weights, bias, kernel_shape=[1, 1])
    model = b.done(b.op("Flatten", x))
    before = run_ort(model, IMAGES, EXACT)
    assert fold(model, 2.0, (0.0, 0.0, 0.0))
    np.testing.assert_allclose(run_ort(model, IMAGES, EXACT), before / 2, rtol=1e-5, atol=1e-6)


def test_a_network_that_ends_otherwise_is_left_alone() -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    model = b.done(b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 2)))))
    before = run_ort(model, IMAGES, EXACT)
    assert last_layer(model) is None and not fold(model, 2.0, (0.0, 0.0))
    np.testing.assert_array_equal(run_ort(model, IMAGES, EXACT), before)


def test_a_layer_that_something_else_reads_is_not_the_last() -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    y = b.conv(b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 4, 3))), 2)
    b.op("Sigmoid", y)
    assert last_layer(b.done(b.op("Flatten", y))) is None


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_is_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        fold(ends_in_convolution(True), temperature, (0.0, 0.0))
