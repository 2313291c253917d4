import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from onnx_graphs import dims, networks
from scipy.special import softmax
from small_network import IMAGES, SIZE, SPEC, mobile, run_ort

from melanoma_edge.artifact import json_text
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.export import passes
from melanoma_edge.quantization.affine import Affine
from melanoma_edge.quantization.evidence import exact_input
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax, static, static_wi8_ai8
from melanoma_edge.quantization.recipe import Recipe
from melanoma_edge.quantization.report import QuantizationReport

FLOAT = {"Conv", "Add", "Mul", "Sigmoid", "GlobalAveragePool", "MaxPool", "Concat", "Relu", "Clip"}
MOVES_DATA = {"MaxPool", "Concat"}  # run on whatever integers they are given


def optimized(model: ir.Model) -> list[str]:
    """Operators of the graph that ONNX Runtime runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        options = ort.SessionOptions()
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        ort.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
        return [node.op_type for node in ir.load(path).graph]


@pytest.mark.parametrize("recipe", [minmax.RECIPE, static.RECIPE, static_wi8_ai8.RECIPE], ids=lambda r: r.name)
def test_onnxruntime_fuses_everything(recipe: Recipe) -> None:
    quantized, _ = quantize(mobile(), IMAGES, SPEC, recipe)
    operators = optimized(quantized)
    assert not FLOAT.difference(MOVES_DATA, {"Add"}).intersection(operators)
    assert (
        operators.count("Add") == operators.count("Sub") == int(recipe.float_head)
    )  # the last layer's operand on a grid
    assert operators.count("QuantizeLinear") == operators.count("DequantizeLinear") == 1
    assert operators.count("Gemm") == (1 if recipe.float_head else 0)
    assert operators.count("QLinearConv") == 8 and operators.count("QLinearConcat") == 1


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_integer_kernels_compute_what_the_simulation_does(method: str) -> None:
    model = mobile()
    quantized, _ = quantize(model, IMAGES, SPEC, replace(static.RECIPE, ranges=method))
    fused = run_ort(quantized, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    simulated = run_ort(quantized, IMAGES, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    original = run_ort(model, IMAGES, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    spread = original.std()
    assert np.abs(fused - simulated).max() < 0.02 * spread
    assert np.abs(fused - original).mean() < 0.15 * spread


def test_the_report_is_json_and_tells_what_was_done() -> None:
    _, report = quantize(mobile(), IMAGES, SPEC, static.RECIPE)
    assert msgspec.json.decode(json_text(report), type=QuantizationReport) == report
    assert report.images == len(IMAGES) and report.recipe == static.RECIPE and report.seconds > 0
    assert report.tensors["image"] == Affine(1 / 128, 128)
    assert len(report.float_nodes) == 1 and report.signal_to_noise["logits"] > 10


def test_the_same_input_gives_the_same_bytes_and_the_float_model_stays() -> None:
    model = mobile()
    before = ir.to_proto(model).SerializeToString(deterministic=True)
    first, second = (quantize(model, IMAGES, SPEC, static.RECIPE)[0] for _ in range(2))
    assert ir.to_proto(first).SerializeToString() == ir.to_proto(second).SerializeToString()
    assert ir.to_proto(model).SerializeToString(deterministic=True) == before


def test_nodes_kept_in_float_are_float_and_their_neighbours_are_not() -> None:
    model = mobile()
    _, plain = quantize(model, IMAGES, SPEC, static.RECIPE)
    kept = plain.integer_nodes[0]
    quantized, report = quantize(model, IMAGES, SPEC, Recipe("mixed", float_nodes=(kept,)))
    assert set(report.float_nodes) > {kept}
    operators = optimized(quantized)
    assert operators.count("Conv") + operators.count("FusedConv") == 1 and operators.count("QLinearConv") == 7
    again = run_ort(quantized, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    assert np.isfinite(again).all()


def test_a_pixel_is_its_own_integer() -> None:
    assert exact_input(SPEC) == Affine(1 / 128, 128)
    assert exact_input(Preprocessing(8, (0.0,) * 3, (255.0,) * 3)) == Affine(float(np.float32(1 / 255)), 0)
    assert exact_input(Preprocessing(8, (127.5,) * 3, (127.5,) * 3)) is None
    assert exact_input(Preprocessing(8, (128.0, 128.0, 127.0))) is None
    pixels = np.arange(256, dtype=np.uint8)
    real = (pixels.astype(np.float32) - 128) / 128
    np.testing.assert_array_equal(np.rint(real * 128) + 128, pixels)


def test_a_normalisation_without_exact_integers_is_calibrated() -> None:
    spec = Preprocessing(SIZE, (123.7, 116.3, 103.5), (58.4, 57.1, 57.4))
    _, report = quantize(mobile(), IMAGES, spec, static.RECIPE)
    affine = report.tensors["image"]
    assert affine.low == pytest.approx(-2.12, abs=0.1) and affine.high == pytest.approx(2.64, abs=0.1)


@pytest.mark.parametrize(
    "images",
    [np.zeros((0, SIZE, SIZE, 3), np.uint8), np.zeros((2, 3, SIZE, SIZE), np.uint8), np.zeros((2, 8, 8, 3), np.uint8)],
)
def test_calibration_images_of_another_form_are_refused(images: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="calibration images"):
        quantize(mobile(), images, SPEC, static.RECIPE)


def test_an_unknown_float_node_is_refused() -> None:
    with pytest.raises(InputError, match="nowhere"):
        quantize(mobile(), IMAGES, SPEC, Recipe("mixed", float_nodes=("nowhere",)))


@settings(max_examples=25)
@given(model=networks(photographs=True))
def test_any_network_gives_integers_that_run_as_simulated_and_answer_as_the_float_network(model: ir.Model) -> None:
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    size = dims(model.graph.inputs[0])[2]
    images, spec = np.random.default_rng(0).integers(0, 256, (8, size, size, 3), np.uint8), Preprocessing(size)
    quantized, report = quantize(model, images, spec, Recipe("any", float_head=False))
    assert len(report.integer_nodes) >= 5
    passes.apply(quantized, "onnxruntime")
    levels = ort.GraphOptimizationLevel
    fused, simulated = (run_ort(quantized, images, level) for level in (levels.ORT_ENABLE_ALL, levels.ORT_DISABLE_ALL))
    p_fused, p = (softmax(logits, axis=1) for logits in (fused, run_ort(model, images, levels.ORT_DISABLE_ALL)))
    apart = report.tensors["logits"].scale if report.inexact_nodes else 0
    assert np.abs(fused - simulated).max() <= apart
    assert np.abs(p_fused - p).mean() < 0.1
