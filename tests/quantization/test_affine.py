import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.quantization.affine import LEVELS, Affine, from_range, quantize_array, saturates_at

bounds = st.floats(-1e6, 1e6, width=32)


def real(integers: np.ndarray, affine: Affine) -> np.ndarray:
    return (integers.astype(np.float64) - affine.zero_point) * affine.scale


@given(bounds, bounds)
def test_a_range_is_held_and_zero_is_exact(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    affine = from_range(low, high)
    assert affine.scale > 0 and np.isfinite(affine.scale) and affine.scale == np.float32(affine.scale)
    assert 0 <= affine.zero_point <= LEVELS
    slack = affine.scale * 0.501
    assert affine.low <= min(low, 0) + slack and affine.high >= max(high, 0) - slack
    assert quantize_array(np.zeros(1, np.float32), affine)[0] == affine.zero_point


@given(bounds, bounds, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_rounding_inside_the_range_is_off_by_half_a_step_at_most(a: float, b: float, where: list[float]) -> None:
    low, high = min(a, b, 0), max(a, b, 0)
    affine = from_range(low, high)
    values = np.clip(low + (high - low) * np.array(where), affine.low, affine.high).astype(np.float32)
    error = np.abs(real(quantize_array(values, affine), affine) - values)
    assert (error <= affine.scale * 0.5 + np.abs(values) * 1e-6).all()


@given(st.floats(0.0009765625, 100, width=32))
def test_what_is_never_negative_has_zero_point_zero(high: float) -> None:
    assert from_range(0, high).zero_point == 0


def test_a_tensor_that_is_zero_everywhere_has_a_plain_scale() -> None:
    assert from_range(0, 0) == Affine(1 / 256, 0)


def test_a_denormal_range_has_a_normal_scale() -> None:
    assert from_range(0, 1e-44).scale > np.finfo(np.float32).tiny


@pytest.mark.parametrize("bad", [(np.nan, 1), (0, np.inf)])
def test_a_range_that_is_not_finite_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        from_range(*bad)


@given(bounds, bounds, st.floats(0, 2), st.floats(0, 2))
def test_saturation_replaces_a_clip_when_it_says_so(a: float, b: float, below: float, above: float) -> None:
    affine = from_range(min(a, b), max(a, b))
    low, high = affine.low * below, affine.high * above
    values = np.concatenate([np.linspace(2 * affine.low, 2 * affine.high, 999), [low, high, 2 * low, 2 * high]])
    values = values.astype(np.float32)
    same = (quantize_array(np.clip(values, low, high), affine) == quantize_array(values, affine)).all()
    assert same or not saturates_at(affine, low, high)


def test_saturation_does_not_replace_a_narrower_clip() -> None:
    assert saturates_at(from_range(0, 6), 0, 6)
    assert not saturates_at(from_range(0, 7), 0, 6)
    assert not saturates_at(from_range(-1, 6), 0, 6)
    step = from_range(0, 6).scale  # one integer less at either end
    assert not saturates_at(from_range(0, 6), step, 6) and not saturates_at(from_range(0, 6), 0, 6 - step)


@given(st.floats(0.125, 1000, width=32), st.floats(0.01, 1))
def test_a_range_inside_a_clip_saturates_at_it(high: float, part: float) -> None:
    assert saturates_at(from_range(0, high * part), 0, high)
