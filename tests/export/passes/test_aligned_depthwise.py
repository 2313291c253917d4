"""Depthwise convolutions get channels that ONNX Runtime has fast kernels for, and no bit of an answer changes."""

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
from melanoma_edge.export.passes import aligned_depthwise
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static


def quantized(b: Builder, x: ir.Value) -> ir.Model:
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    for phase in ("clean", "integer"):
        passes.apply(model, phase)
    return quantize(model, IMAGES, SPEC, static.RECIPE)[0]


def residual(channels: int) -> ir.Model:
    """An inverted residual of `channels`, with hard-swish, squeeze and excite, and a factor for each channel."""
    b = Builder((1, 3, SIZE, SIZE))
    x = b.conv(b.image, 8, 3)
    y = b.op("HardSwish", b.conv(x, channels))
    y = b.op("Relu", b.conv(y, channels, 3, group=channels, strides=[2, 2]))
    y = b.op("Add", b.conv(y, channels, 5, group=channels), y)
    gate = b.op("Sigmoid", b.conv(b.op("Relu", b.conv(b.op("GlobalAveragePool", y), 4)), channels))
    gate = b.op("Mul", gate, b.const(np.linspace(0.5, 1, channels).reshape(channels, 1, 1)))
    return quantized(b, b.op("Relu", b.conv(b.op("Mul", gate, y), 16)))


def groups(model: ir.Model) -> list[int]:
    found = [node.attributes.get_int("group", 1) for node in model.graph if graph.is_op(node, "Conv")]
    return [group for group in found if group > 1]


@pytest.mark.parametrize(("channels", "wide"), [(24, 32), (40, 48), (72, 80)])
def test_the_answers_keep_their_bits(channels: int, wide: int) -> None:
    model = residual(channels)
    after = model.clone()
    assert passes.apply(after, "onnxruntime")["aligned_depthwise"] == 1
    assert groups(model) == [channels] * 2
    assert groups(after) == [wide] * 2
    for level in (ort.GraphOptimizationLevel.ORT_ENABLE_ALL, ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
        np.testing.assert_array_equal(run_ort(after, IMAGES, level), run_ort(model, IMAGES, level))
    assert passes.apply(after, "onnxruntime")["aligned_depthwise"] == 0


def test_onnx_runtime_still_fuses_every_layer(tmp_path: Path) -> None:
    def kernels(model: ir.Model) -> list[tuple[str, str]]:
        ir.save(model, tmp_path / "model.onnx")
        return sorted((o.operator, o.kernel) for o in profile(tmp_path / "model.onnx", runs=1))

    model = residual(24)
    before = kernels(model)
    passes.apply(model, "onnxruntime")
    assert kernels(model) == before
    assert ("DequantizeLinear", "ORT int32") not in before


@pytest.mark.parametrize("channels", [16, 32, 8])
def test_what_fits_or_would_grow_too_much_stays(channels: int) -> None:
    model = residual(channels)
    assert aligned_depthwise.run(model) == 0
    assert groups(model) == [channels] * 2


def test_float_convolutions_stay() -> None:
    b = Builder((1, 3, SIZE, SIZE))
    x = b.conv(b.conv(b.image, 24), 24, 3, group=24)
    assert aligned_depthwise.run(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))) == 0


def test_computed_weights_stay() -> None:
    model = residual(24)
    conv = next(n for n in model.graph if graph.is_op(n, "Conv") and graph.dims(n.outputs[0])[1] == 24)
    conv.replace_input_with(2, graph.insert(conv, "Neg", [conv.inputs[2]], (24,)))
    assert aligned_depthwise.run(model) == 0


@pytest.mark.parametrize("end", ["Flatten", "Concat", "grouped"])
def test_channels_that_are_mixed_or_shown_stay(end: str) -> None:
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Relu", b.conv(b.image, 24))
    y = b.op("Relu", b.conv(x, 24, 3, group=24))
    if end == "Concat":
        y = b.op("Relu", b.conv(b.op("Concat", y, x, axis=1), 16))
    elif end == "grouped":
        y = b.op("Relu", b.conv(y, 24, group=3))
    model = quantized(b, y)
    before = run_ort(model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    assert aligned_depthwise.run(model) == 0
    np.testing.assert_array_equal(run_ort(model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL), before)
