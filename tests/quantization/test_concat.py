"""Concatenations with constants (the border of an image) and of many tensors: one partition, the same bits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from onnx_graphs import Builder, evaluate, image_for
from small_network import IMAGES, SPEC, run_ort
from tflite_file import operators, partitions, run

from melanoma_edge import formats
from melanoma_edge.export import passes
from melanoma_edge.export.emit import emit, to_bytes
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.report import QuantizationReport

MEAN_COLOUR = (np.array([123.675, 116.28, 103.53]) - 128) / 128
COLUMN, ROW, CONVOLUTION, RELU = range(4)  # the first nodes of `bordered`


def classifier(b: Builder, x: ir.Value) -> ir.Model:
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    return model


def bordered() -> ir.Model:
    """A row and a column of one colour in front of a convolution of stride 2."""
    b = Builder((1, 3, SPEC.size, SPEC.size))
    colour = MEAN_COLOUR.reshape(1, 3, 1, 1)
    x = b.op("Concat", b.const(np.broadcast_to(colour, (1, 3, 1, SPEC.size))), b.image, axis=2)
    x = b.op("Concat", b.const(np.broadcast_to(colour, (1, 3, SPEC.size + 1, 1))), x, axis=3)
    x = b.op("Relu", b.conv(x, 16, 3, strides=[2, 2], pads=[0] * 4))
    return classifier(b, b.op("Relu", b.conv(x, 16, 3)))


def many(count: int) -> ir.Model:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    parts = [b.op("Relu", b.conv(b.image, 4, 3, strides=[2, 2])) for _ in range(count)]
    return classifier(b, b.op("Relu", b.conv(b.op("Concat", *parts, axis=1), 8)))


def quantized(model: ir.Model, folder: Path, kept: tuple[str, ...] = ()) -> tuple[ir.Model, QuantizationReport, bytes]:
    """The graph, its report and its TFLite file, which gives ONNX Runtime's bits in one partition."""
    made, report = quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=kept))
    assert not report.inexact_nodes
    emit(made, folder / "m.tflite", name="m")
    lite, data = formats.load(folder / "m.tflite", SPEC), (folder / "m.tflite").read_bytes()
    images = np.random.default_rng(9).integers(0, 256, (50, *IMAGES.shape[1:]), np.uint8)
    ours = np.concatenate([lite(image[np.newaxis]) for image in images])
    np.testing.assert_array_equal(ours, run_ort(made, images, ort.GraphOptimizationLevel.ORT_ENABLE_ALL))
    assert partitions(data) == (1, ())
    return made, report, data


def test_a_border_in_float() -> None:
    model = bordered()
    image, data = image_for(model), to_bytes(model, name="m")
    np.testing.assert_allclose(run(data, image), evaluate(model, image), rtol=1e-5, atol=1e-5)
    assert partitions(data) == (1, ())


def test_a_border_in_integers_takes_the_scale_of_the_image(tmp_path: Path) -> None:
    model = bordered()
    made, report, data = quantized(model, tmp_path)
    assert {report.tensors[str(n.outputs[0].name)].scale for n in list(model.graph)[:2]} == {1 / 128}
    assert operators(data)[:4] == ["QUANTIZE", "CONCATENATION", "CONCATENATION", "CONV_2D"]
    stored = [v.const_value.numpy() for v in made.graph.initializers.values() if v.shape == (1, 3, 1, SPEC.size)]
    assert np.array_equal(np.unique(stored), [104, 116, 124])  # the colour in pixels, rounded


def test_a_border_before_a_float_convolution_stays_in_float_on_the_grid_of_the_image(tmp_path: Path) -> None:
    model = bordered()
    names = [str(node.name) for node in model.graph]
    made, report, data = quantized(model, tmp_path, (names[CONVOLUTION], names[RELU]))
    assert set(names[:4]) <= set(report.float_nodes)
    assert operators(data)[:4] == ["CONCATENATION", "CONCATENATION", "CONV_2D", "ADD"]  # no rounding of the image
    stored = [v.const_value.numpy() for v in made.graph.initializers.values() if v.shape == (1, 3, 1, SPEC.size)]
    assert np.array_equal(np.unique(stored) * 128 + 128, [104, 116, 124])


def test_a_constant_that_the_image_cannot_hold_leaves_the_concatenation_in_float(tmp_path: Path) -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op("Concat", b.const(np.full((1, 3, 1, SPEC.size), 7.0)), b.image, axis=2)
    model = classifier(b, b.op("Relu", b.conv(x, 16, 3)))
    _, report, _ = quantized(model, tmp_path)
    assert str(next(iter(model.graph)).name) in report.float_nodes


@pytest.mark.parametrize("count", [5, 6, 11])
def test_many_are_joined_in_turns_of_four(count: int, tmp_path: Path) -> None:
    model = many(count)
    image, data = image_for(model), to_bytes(model, name="m")
    np.testing.assert_allclose(run(data, image), evaluate(model, image), rtol=1e-5, atol=1e-5)
    assert partitions(data) == (1, ())
    _, report, _ = quantized(model, tmp_path)
    assert len(report.float_nodes) == 3
