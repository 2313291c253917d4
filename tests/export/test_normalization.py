"""The folded network computes from (pixel - 128) / 128 what it computed from (pixel - mean) / std, border included."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, evaluate, op_types

from melanoma_edge import formats
from melanoma_edge.bench.partitions import partitions
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.export import passes
from melanoma_edge.export.emit import emit
from melanoma_edge.export.normalization import fold_input_normalization
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax

IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
UNIT = (0.0,) * 3, (1.0,) * 3


def head(b: Builder, x: ir.Value) -> ir.Model:
    """All pixels count, each differently: a border that is wrong anywhere changes the logits."""
    return b.done(b.linear(b.op("Flatten", x), 2))


def network(seed: int, size: int, **attributes: object) -> ir.Model:
    b = Builder((1, 3, size, size), np.random.default_rng(seed))
    return head(b, b.op("Relu", b.conv(b.image, 6, 3, **attributes)))


def pixels(size: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (1, 3, size, size)).astype(np.float32)


def both(model: ir.Model, mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    image = pixels(int(model.graph.inputs[0].shape[2]))  # type: ignore[index, arg-type]
    own = (image - np.reshape(mean, (1, 3, 1, 1))) / np.reshape(std, (1, 3, 1, 1))
    before = evaluate(model, own.astype(np.float32))
    passes.apply(model, "clean")
    fold_input_normalization(model, mean, std)
    passes.apply(model, "clean")
    return before, evaluate(model, (image - 128) / 128)


def assert_same(before: np.ndarray, after: np.ndarray) -> None:
    np.testing.assert_allclose(after, before, rtol=2e-5, atol=2e-5 * max(1.0, float(np.abs(before).max())))


levels = st.floats(1, 255)
triples = st.tuples(levels, levels, levels)
geometries = st.one_of(
    st.fixed_dictionaries(
        {
            "pads": st.lists(st.integers(0, 2), min_size=4, max_size=4),
            "dilations": st.sampled_from([[1, 1], [2, 1]]),
            "strides": st.lists(st.integers(1, 3), min_size=2, max_size=2),
            "group": st.sampled_from([1, 3]),
        }
    ),
    st.fixed_dictionaries(
        {
            "auto_pad": st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]),
            "strides": st.lists(st.integers(1, 3), min_size=2, max_size=2),
        }
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(7, 10), triples, triples, st.booleans(), geometries)
def test_exact_for_any_mean_std_and_padding(
    seed: int,
    size: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    bias: bool,
    geometry: dict[str, object],
) -> None:
    b = Builder((1, 3, size, size), np.random.default_rng(seed))
    weights = b.random(6, 3 // int(geometry.get("group", 1)), 3, 3, scale=0.2)  # type: ignore[call-overload]
    biases = [b.random(6)] if bias else []
    assert_same(*both(head(b, b.op("Conv", b.image, weights, *biases, kernel_shape=[3, 3], **geometry)), mean, std))


def test_only_rows_and_columns_that_a_window_reads_are_framed() -> None:
    model = network(0, 8, pads=[1] * 4, strides=[2, 2])
    assert_same(*both(model, *IMAGENET))
    rows, columns = [n for n in model.graph if n.op_type == "Concat"]
    assert [tuple(v.shape) for v in rows.inputs if v and v.const_value] == [(1, 3, 1, 8)]
    assert [tuple(v.shape) for v in columns.inputs if v and v.const_value] == [(1, 3, 9, 1)]


def test_nothing_is_framed_where_zero_is_grey_128() -> None:
    model = network(0, 8, pads=[1] * 4)
    assert_same(*both(model, (128.0,) * 3, (50.0, 60.0, 70.0)))
    assert "Concat" not in op_types(model)


def _two_convolutions(b: Builder) -> ir.Value:
    alike = [b.conv(b.image, 4, 3, pads=[1] * 4) for _ in range(2)]
    return b.op("Concat", *alike, b.conv(b.image, 4, 1), b.conv(b.image, 4, 5), axis=1)


def _pad(b: Builder) -> ir.Value:
    padded = b.op("Pad", b.image, b.const([0, 0, 0, 0, 0, 0, 1, 1], np.int64))
    return b.op("Conv", padded, b.random(4, 3, 3, 3), kernel_shape=[3, 3], auto_pad="VALID")


def _batch_norm(b: Builder) -> ir.Value:
    return b.op("BatchNormalization", b.image, *(b.const(np.full(3, v)) for v in (1.5, 0.1, -0.2, 0.8)))


def _normalized_inside(b: Builder) -> ir.Value:
    x = b.op("Sub", b.image, b.const(np.reshape(IMAGENET[0], (1, 3, 1, 1))))
    return b.conv(b.op("Div", x, b.const(np.reshape(IMAGENET[1], (3, 1, 1)))), 4, 3)


FIRST: dict[str, tuple[Callable[[Builder], ir.Value], str]] = {
    "two convolutions share a frame": (_two_convolutions, "Concat Concat Concat Concat Conv Conv Conv Conv Concat"),
    "a Pad in front": (_pad, "Concat Concat Conv"),
    "a batch norm": (lambda b: b.conv(_batch_norm(b), 4, 3), "Concat Concat Conv"),
    "a pool": (lambda b: b.op("MaxPool", b.image, kernel_shape=[3, 3], pads=[1] * 4), "Conv MaxPool"),
    "a sum of the image with itself": (lambda b: b.op("Add", b.image, b.image), "Conv Add"),
    "a pool beside a convolution": (
        lambda b: b.op("Add", b.conv(b.image, 3, 3), b.op("MaxPool", b.image, kernel_shape=[1, 1])),
        "Concat Concat Conv Conv MaxPool Add",
    ),
}


@pytest.mark.parametrize("name", FIRST)
def test_whatever_comes_first(name: str) -> None:
    first, operators = FIRST[name]
    b = Builder((1, 3, 6, 6))
    model = head(b, first(b))
    assert_same(*both(model, *IMAGENET))
    assert sorted(op_types(model)[:-2]) == sorted(operators.split())


def test_a_normalization_inside_the_network_costs_nothing() -> None:
    b = Builder((1, 3, 6, 6))
    model = head(b, _normalized_inside(b))
    assert_same(*both(model, *UNIT))
    assert op_types(model) == ["Concat", "Concat", "Conv", "Flatten", "Gemm"]


def test_a_colour_that_no_pixel_has_is_not_framed_since_int8_could_not_say_it() -> None:
    b = Builder((1, 3, 6, 6))
    shifted = b.op("Add", b.image, b.const(np.reshape([9.0, 9.0, 9.0], (1, 3, 1, 1))))
    model = head(b, b.conv(shifted, 4, 3))
    assert_same(*both(model, *IMAGENET))
    assert op_types(model) == ["Conv", "Conv", "Flatten", "Gemm"]


def test_our_own_normalization_changes_nothing() -> None:
    b = Builder((1, 3, 4, 4))
    model = head(b, b.conv(b.op("Relu", b.image), 4, 3))
    before = ir.to_proto(model).SerializeToString()
    fold_input_normalization(model, (128.0,) * 3, (128.0,) * 3)
    assert ir.to_proto(model).SerializeToString() == before


@pytest.mark.parametrize("std", [(0.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (float("nan"), 1.0, 1.0)])
def test_a_std_that_is_not_positive_is_refused(std: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="positive"):
        fold_input_normalization(network(0, 7), (1.0, 1.0, 1.0), std)


def test_the_files_of_both_formats_frame_alike(tmp_path: Path) -> None:
    size = 8
    model = network(0, size, pads=[1, 1, 1, 1], strides=[2, 2])
    before, _ = both(model, *IMAGENET)
    emit(model.clone(), tmp_path / "a.tflite", name="a")
    ir.save(model, tmp_path / "a.onnx")
    image = pixels(size).astype(np.uint8).transpose(0, 2, 3, 1)
    for name in ("a.tflite", "a.onnx"):
        assert_same(before, formats.load(tmp_path / name, Preprocessing(size))(image))


def test_the_frame_is_integers_of_the_image_in_int8_and_both_files_give_the_same_bits(tmp_path: Path) -> None:
    size = 16
    b = Builder((1, 3, size, size))
    x = b.op("Relu", b.conv(b.image, 8, 3, pads=[1] * 4, strides=[2, 2]))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", b.conv(x, 8, 3))), 2))
    both(model, *IMAGENET)
    passes.apply(model, "integer")
    images = np.random.default_rng(2).integers(0, 256, (16, size, size, 3)).astype(np.uint8)
    quantized, report = quantize(model, images, Preprocessing(size), minmax.RECIPE)
    framed = [affine for name, affine in report.tensors.items() if name.startswith("image")]
    assert {(affine.scale, affine.zero_point) for affine in framed} == {(1 / 128, 128)} and len(framed) > 2
    emit(quantized.clone(), tmp_path / "a.tflite", name="a")
    ir.save(quantized, tmp_path / "a.onnx")
    one, other = (formats.load(tmp_path / name, Preprocessing(size))(images) for name in ("a.tflite", "a.onnx"))
    np.testing.assert_array_equal(one, other)
    found = partitions(tmp_path / "a.tflite")
    assert found is not None and found.partitions == 1 and not found.outside


@pytest.mark.data
def test_a_trained_mobilenet_gives_the_same_logits(networks: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 3, 20, 20)).repeat(8, 2).repeat(8, 3).astype(np.float32)
    model = ir.load(networks / "mobilenet_v2_160.onnx")
    before = evaluate(model, image / np.float32(127.5) - 1)
    passes.apply(model, "clean")
    fold_input_normalization(model, (127.5,) * 3, (127.5,) * 3)
    assert_same(before, evaluate(model, (image - 128) / 128))
