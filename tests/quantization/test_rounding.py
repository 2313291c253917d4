"""Adaptive rounding: no layer error above that of rounding to nearest, and near the best where all can be tried."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx_graphs import Builder

from melanoma_edge.quantization.executor import load, run
from melanoma_edge.quantization.prepare import array, prepare
from melanoma_edge.quantization.rounding import POSITIONS, SHRINKS, round_adaptively, second_moments


def moments_of(inputs: np.ndarray) -> torch.Tensor:
    return torch.tensor(inputs.T @ inputs / len(inputs), dtype=torch.float32)[None]


def error(weight: np.ndarray, values: np.ndarray, scales: np.ndarray, moments: torch.Tensor) -> np.ndarray:
    change = torch.tensor(values * scales.reshape(-1, 1) - weight, dtype=torch.float64).reshape(
        len(moments), -1, weight.shape[1]
    )
    return ((change @ moments.double()) * change).sum(2).flatten().numpy()


@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 1000), st.sampled_from([0.0, 0.9, 1.0]))
def test_no_channel_is_worse_than_rounded_to_nearest(channels: int, width: int, seed: int, common: float) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(channels, width)).astype(np.float32)
    inputs = common * rng.normal(size=(50, 1)) + (1 - common) * rng.normal(size=(50, width))
    scales = np.abs(weight).max(1) / 127 + np.float32(1e-9)
    values, kept = round_adaptively(weight, scales, moments_of(inputs))
    nearest = np.clip(np.rint(weight / scales[:, None]), -127, 127)
    assert values.dtype == np.int8 and np.abs(values.astype(int)).max() <= 127
    assert (kept <= scales).all() and (kept >= scales * min(SHRINKS) * 0.999).all()
    moments = moments_of(inputs)
    assert (error(weight, values, kept, moments) <= error(weight, nearest, scales, moments) * 1.0001 + 1e-12).all()


def test_errors_cancel_where_the_inputs_are_alike() -> None:
    rng = np.random.default_rng(0)
    weight, inputs = (
        rng.normal(size=(64, 9)).astype(np.float32),
        rng.normal(size=(500, 1)) + 0.1 * rng.normal(size=(500, 9)),
    )
    scales = (np.abs(weight).max(1) / 127).astype(np.float32)
    moments = moments_of(inputs)
    nearest = error(weight, np.rint(weight / scales[:, None]), scales, moments)
    values, kept = round_adaptively(weight, scales, moments)
    assert error(weight, values, kept, moments).sum() < 0.2 * nearest.sum()


def test_it_is_near_the_best_of_all_roundings() -> None:
    rng = np.random.default_rng(1)
    weight, inputs = (
        rng.normal(size=(1, 6)).astype(np.float32),
        rng.normal(size=(200, 1)) + 0.3 * rng.normal(size=(200, 6)),
    )
    scales = (np.abs(weight).max(1) / 20).astype(np.float32)  # coarse, and no finer scale can be the better one
    moments = moments_of(inputs)
    floor = np.floor(weight / scales[:, None])
    best = min(error(weight, floor + np.array(up), scales, moments)[0] for up in itertools.product((0, 1), repeat=6))
    values, kept = round_adaptively(weight, scales, moments)
    assert error(weight, values, kept, moments)[0] <= 3 * best


@pytest.mark.parametrize(
    ("group", "attributes"),
    [
        (1, {}),
        (4, {"strides": [2, 2]}),
        (2, {"pads": [0, 1, 2, 1], "dilations": [2, 1]}),
        (4, {"auto_pad": "SAME_UPPER"}),
    ],
)
def test_moments_give_the_error_of_the_layer(group: int, attributes: dict[str, object]) -> None:
    b = Builder((1, 4, 12, 11))
    x = b.conv(b.image, 8, 3, group=group, **attributes)
    model = prepare(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2)))
    program, node = load(model), next(iter(model.graph))
    assert POSITIONS >= 12  # every output position is taken here
    images = torch.randn(1, 4, 12, 11)
    moments = second_moments(program, [images], [node])[str(node.name)]  # type: ignore[arg-type]
    weight, energy = array(node.inputs[1]), moments.diagonal(dim1=1, dim2=2).sum()
    assert float(energy) == pytest.approx(1, rel=1e-4)  # every image in units of its own energy
    name, output = str(node.inputs[1].name), str(node.outputs[0].name)
    change = torch.randn(*weight.shape)
    before = run(program, images, keep={output})[output]
    after = run(program, images, keep={output}, constants={name: torch.tensor(weight) + change})[output]
    measured = (after - before).square().mean((0, 2, 3))
    expected = error(np.zeros((8, change[0].numel())), change.reshape(8, -1).numpy(), np.ones(8), moments)
    np.testing.assert_allclose(measured / measured.sum(), expected / expected.sum(), rtol=1e-3)
