"""Distillation: the integers answer closer to the float network, in the same places and with the same scales."""

from dataclasses import replace

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx_graphs import Builder
from small_network import IMAGES, SPEC, run_ort

from melanoma_edge.quantization import distillation
from melanoma_edge.quantization.executor import load
from melanoma_edge.quantization.prepare import prepare
from melanoma_edge.quantization.quantize import evidence_for, scheme_of
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.write import write

ROUGH = replace(static.RECIPE, ranges="minmax", adaptive_rounding=False, bias_correction=False, equalization=False)


def chain() -> ir.Model:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.image
    for _ in range(6):
        x = b.op("Relu", b.conv(x, 12, 3))
    return b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))


def distilled(epochs: int) -> tuple[ir.Model, Scheme, Scheme]:
    seen = evidence_for(chain(), IMAGES, SPEC, ROUGH)
    model, scheme = scheme_of(seen, ROUGH)
    return model, scheme, distillation.distil(model, seen.program, scheme, IMAGES, SPEC, epochs=epochs)


def error(model: ir.Model, scheme: Scheme) -> float:
    def answers(graph: ir.Model) -> NDArray[np.float32]:
        return run_ort(graph, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)

    return float(np.square(answers(write(model, scheme)) - answers(prepare(chain()))).mean())


def test_the_answers_come_closer() -> None:
    model, before, after = distilled(epochs=30)
    assert error(model, after) < 0.7 * error(model, before)


def test_only_integers_change_and_few_of_them_far() -> None:
    model, before, after = distilled(epochs=2)
    assert after.activations == before.activations and after.placement == before.placement
    assert {s.node for s in load(model).steps} >= set(after.weights)
    for name, weights in after.weights.items():
        np.testing.assert_array_equal(weights.scales, before.weights[name].scales)
        moved = weights.values.astype(int) - before.weights[name].values
        assert np.abs(moved).max() <= 1 and np.abs(weights.values.astype(int)).max() <= 127


def test_it_is_the_same_each_time() -> None:
    for one, other in zip(distilled(2)[2].weights.values(), distilled(2)[2].weights.values(), strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.bias, other.bias)


def test_what_answers_no_closer_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distillation, "RATE", 20.0)
    _, before, after = distilled(epochs=1)
    assert after is before
