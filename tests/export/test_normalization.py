"""The folded network computes from (pixel - 128) / 128 what it computed from (pixel - mean) / std."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, evaluate, op_types

from melanoma_edge.errors import InputError
from melanoma_edge.export.normalization import fold_input_normalization

IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def network(seed: int, *, pads: int, group: int = 1, bias: bool = True) -> ir.Model:
    b = Builder((1, 3, 9, 9), np.random.default_rng(seed))
    x = b.conv(b.image, 6, 3, bias=bias, pads=[pads] * 4, group=group, strides=[2, 2])
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", x)))
    return b.done(b.linear(x, 2))


def both(model: ir.Model, mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    pixels = np.random.default_rng(1).integers(0, 256, (1, 3, 9, 9)).astype(np.float32)
    own = (pixels - np.reshape(mean, (1, 3, 1, 1))) / np.reshape(std, (1, 3, 1, 1))
    before = evaluate(model, own.astype(np.float32))
    fold_input_normalization(model, mean, std)
    return before, evaluate(model, (pixels - 128) / 128)


levels = st.floats(1, 255)
triples = st.tuples(levels, levels, levels)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), triples, triples, st.sampled_from([1, 3]), st.booleans())
def test_exact_without_padding(
    seed: int, mean: tuple[float, ...], std: tuple[float, ...], group: int, bias: bool
) -> None:
    before, after = both(network(seed, pads=0, group=group, bias=bias), mean, std)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * max(1.0, float(np.abs(before).max())))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), triples)
def test_exact_with_padding_when_the_mean_is_128(seed: int, std: tuple[float, ...]) -> None:
    before, after = both(network(seed, pads=1), (128.0, 128.0, 128.0), std)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * max(1.0, float(np.abs(before).max())))


def test_padding_moves_the_border_only() -> None:
    model = network(0, pads=1)
    before, after = both(model, (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
    assert 0 < np.abs(after - before).max() < 0.01


def test_our_own_normalization_changes_nothing() -> None:
    b = Builder((1, 3, 4, 4))
    model = b.done(b.linear(b.op("Flatten", b.op("Relu", b.image)), 2))
    before = ir.to_proto(model).SerializeToString()
    fold_input_normalization(model, (128.0,) * 3, (128.0,) * 3)
    assert ir.to_proto(model).SerializeToString() == before


def test_a_pad_in_front_of_the_convolution_is_passed() -> None:
    b = Builder((1, 3, 4, 4))
    x = b.op("Pad", b.image, b.const([0, 0, 0, 0, 0, 0, 1, 1], np.int64))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", b.conv(x, 4, 3, pads=[0] * 4))), 2))
    fold_input_normalization(model, *IMAGENET)
    assert "Pad" not in op_types(model)


def test_without_a_first_convolution_it_is_refused() -> None:
    b = Builder((1, 3, 4, 4))
    model = b.done(b.linear(b.op("Flatten", b.op("Relu", b.image)), 2))
    with pytest.raises(InputError, match="Relu"):
        fold_input_normalization(model, *IMAGENET)


@pytest.mark.parametrize("std", [(0.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (float("nan"), 1.0, 1.0)])
def test_a_std_that_is_not_positive_is_refused(std: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="positive"):
        fold_input_normalization(network(0, pads=0), (1.0, 1.0, 1.0), std)


@pytest.mark.data
def test_trained_mobilenet_moves_by_little(networks: Path) -> None:
    path = networks / "mobilenet_v2_160.onnx"
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 20, 20)).repeat(8, 2).repeat(8, 3).astype(np.float32)
    model = ir.load(path)
    before = evaluate(model, pixels / np.float32(127.5) - 1)
    fold_input_normalization(model, (127.5,) * 3, (127.5,) * 3)
    assert np.abs(evaluate(model, (pixels - 128) / 128) - before).max() < 0.02
