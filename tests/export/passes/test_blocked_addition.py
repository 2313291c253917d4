"""Hard-swish stays in ONNX Runtime's blocked layout, and no bit of an answer changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from onnx_graphs import Builder
from small_network import IMAGES, SIZE, SPEC, run_ort

from melanoma_edge import graph
from melanoma_edge.bench.profilers.onnxruntime import profile
from melanoma_edge.export import passes
from melanoma_edge.export.passes import blocked_addition
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static


def swishes(channels: int) -> ir.Model:
    """Two convolutions with hard-swish that stay in float, and one of integers."""
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("HardSwish", b.conv(b.image, channels, 3))
    x = b.op("HardSwish", b.conv(x, channels, 3, group=channels))
    x = b.op("Relu", b.conv(x, 8))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    for phase in ("clean", "integer"):
        passes.apply(model, phase)
    names = tuple(str(node.name) for node in list(model.graph)[:8])
    return quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=names))[0]


def test_the_answers_keep_their_bits() -> None:
    model = swishes(16)
    after = model.clone()
    assert passes.apply(after, "onnxruntime")["blocked_addition"] == 2
    for level in (ort.GraphOptimizationLevel.ORT_ENABLE_ALL, ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
        np.testing.assert_array_equal(run_ort(after, IMAGES, level), run_ort(model, IMAGES, level))
    assert not any(passes.apply(after, "onnxruntime").values())


def test_no_sum_and_no_clip_is_left_to_run(tmp_path: Path) -> None:
    def count(model: ir.Model, operator: str) -> int:
        ir.save(model, tmp_path / "model.onnx")
        return sum(o.operator == operator for o in profile(tmp_path / "model.onnx", runs=1))

    before, after = swishes(16), swishes(16)
    passes.apply(after, "onnxruntime")
    assert count(before, "Clip") == 2
    assert count(after, "Clip") == 0
    assert count(after, "Add") < count(before, "Add") - 2  # the roundings behind the products stay blocked too


@pytest.mark.parametrize("channels", [12, 24])
def test_maps_that_are_not_blocked_stay(channels: int) -> None:
    assert blocked_addition.run(swishes(channels)) == 0


def test_a_rounding_behind_other_products_stays() -> None:
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Relu", b.conv(b.image, 16, 3))
    gate = b.op("Sigmoid", b.conv(b.op("GlobalAveragePool", x), 16))
    x = b.op("Sub", b.op("Add", b.op("Mul", x, gate), b.const(4096)), b.const(4096))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    assert passes.apply(model, "onnxruntime")["blocked_rounding"] == 0
    assert any(graph.is_op(node, "Sub") for node in model.graph)
