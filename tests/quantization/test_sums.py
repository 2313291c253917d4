"""Float sums that come out the same in any order, and how values and weights share their bits."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.quantization.grids import BITS
from melanoma_edge.quantization.ranges import observation
from melanoma_edge.quantization.sums import balanced, exact


@given(st.integers(1, 40), st.integers(1, 300), st.floats(1e-3, 1e3), st.integers(-12, 4), st.integers(0, 999))
def test_sums_are_exact_in_any_order(channels: int, width: int, size: float, power: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = (rng.normal(size=(channels, width)) * size).astype(np.float32)
    bias = (rng.normal(size=channels) * size).astype(np.float32)
    step, largest = 2.0**power, 2**BITS
    found = exact(weight, bias, (step, largest))
    values = (rng.integers(-largest, largest, width, endpoint=True) * step).astype(np.float32)
    wanted = found.weight.astype(np.float64) @ values.astype(np.float64) + found.bias
    for order in (np.arange(width), rng.permutation(width), np.argsort(-np.abs(values))):
        total = found.bias.copy()
        for i in order:
            total = total + found.weight[:, i] * values[i]
        np.testing.assert_array_equal(total, wanted)


def test_weights_keep_more_bits_than_integers_would() -> None:
    weight = np.random.default_rng(0).normal(size=(16, 96, 1, 1)).astype(np.float32)
    found = exact(weight, np.zeros(16, np.float32), (2.0**-8, 2**BITS))
    scales = np.abs(weight).reshape(16, -1).max(1).reshape(-1, 1, 1, 1) / 127
    eight = np.rint(weight / scales) * scales
    assert np.abs(found.weight - weight).mean() < np.abs(eight - weight).mean() / 2


def test_values_and_weights_share_the_bits_of_a_sum_for_the_least_noise() -> None:
    rng = np.random.default_rng(0)
    weight, values = rng.normal(size=(2, 640)).astype(np.float32) * 0.05, np.abs(rng.normal(size=(400, 640)))
    seen = observation(torch.from_numpy(values.astype(np.float32)))

    def noise(step: float) -> float:
        found = exact(weight, np.zeros(2, np.float32), (step, values.max() / step))
        return float(np.square(np.rint(values / step) * step @ found.weight.T - values @ weight.T).mean())

    chosen = balanced([weight], seen)
    assert noise(chosen) < min(noise(chosen / 8), noise(chosen * 8))
