import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from onnx_graphs import Builder

from melanoma_edge.errors import InputError
from melanoma_edge.quantize.executor import load, run
from melanoma_edge.quantize.ranges import BINS, METHODS, NARROWEST, Observation, choose, merge, observe


def observation(values: np.ndarray) -> Observation:
    low, high = float(values.min()), float(values.max())
    wide = high - low > NARROWEST
    return Observation(low, high, np.histogram(values, BINS, (low, high))[0] if wide else np.zeros(BINS, np.int64))


def squared_error(values: np.ndarray, method: str) -> float:
    affine = choose(observation(values), method)
    integers = np.clip(np.rint(values / affine.scale) + affine.zero_point, 0, 255)
    return float(np.square((integers - affine.zero_point) * affine.scale - values).mean())


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=50), st.sampled_from(METHODS))
@example([0.0, 1.401298464324817e-45], "mse")
def test_any_values_give_usable_parameters(values: list[float], method: str) -> None:
    affine = choose(observation(np.array(values, np.float32)), method)
    assert np.isfinite(affine.scale) and affine.scale > 0 and 0 <= affine.zero_point <= 255


@pytest.mark.parametrize("method", METHODS)
def test_rectified_values_start_at_zero(method: str) -> None:
    values = np.maximum(np.random.default_rng(0).normal(size=20000), 0)
    affine = choose(observation(values), method)
    assert affine.zero_point == 0 and affine.high <= values.max() * 1.001


def test_values_too_close_for_bins_are_counted_as_one() -> None:
    b = Builder((1, 1, 4, 4))
    program = load(b.done(b.op("Flatten", b.image)))
    batches = [torch.full((1, 1, 4, 4), 1.4e-45), torch.zeros(1, 1, 4, 4)]
    seen = observe(program, batches, [program.image], histograms=True)[program.image]
    assert not seen.counts.any() and not merge([seen, seen]).counts.any() and choose(seen, "mse").scale > 0


def test_least_squares_clips_outliers_and_minmax_does_not() -> None:
    values = np.random.default_rng(0).standard_t(3, size=200_000)
    assert choose(observation(values), "minmax").high == pytest.approx(values.max(), rel=0.01)
    assert choose(observation(values), "mse").high < 0.8 * values.max()
    assert squared_error(values, "mse") < 0.8 * squared_error(values, "minmax")


def test_least_squares_is_near_the_best_clipping_point_of_a_gaussian() -> None:
    values = np.random.default_rng(1).standard_cauchy(50_000).clip(-300, 300)
    errors = []
    for bound in np.geomspace(5, 300, 200):
        step = 2 * bound / 255
        errors.append(np.square((np.rint(values.clip(-bound, bound) / step) * step) - values).mean())
    assert squared_error(values, "mse") < 1.05 * min(errors)


def test_a_percentile_leaves_out_the_tails() -> None:
    values = np.append(np.linspace(-1, 1, 200_000), [-30, 40])
    affine = choose(observation(values), "percentile")
    assert -1.1 < affine.low < -0.9 and 0.9 < affine.high < 1.1


def test_merged_observations_are_those_of_all_values() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5000), rng.normal(3, 2, size=5000)
    both, merged = observation(np.concatenate([a, b])), merge([observation(a), observation(b)])
    assert (merged.low, merged.high) == (both.low, both.high)
    assert np.abs(np.cumsum(merged.counts) - np.cumsum(both.counts)).max() < 60


def test_batches_do_not_matter() -> None:
    b = Builder((1, 3, 6, 6))
    program = load(b.done(b.op("Flatten", b.op("Relu", b.conv(b.image, 2, 3)))))
    images = torch.randn(7, 3, 6, 6)
    names = {step.output for step in program.steps} | {"image"}
    one = observe(program, [images], names, histograms=True)
    many = observe(program, images.split(2), names, histograms=True)
    values = run(program, images, keep=names)
    for name in names - {"image"}:
        assert one[name].low == pytest.approx(many[name].low, rel=1e-5)
        assert one[name].high == pytest.approx(float(values[name].max()), rel=1e-5)
        assert one[name].counts.sum() == many[name].counts.sum() == values[name].numel()
    assert one["image"].counts.sum() == images.numel()


def test_a_network_that_is_not_finite_is_an_input_error() -> None:
    b = Builder((1, 1, 2, 2))
    program = load(b.done(b.op("Flatten", b.op("Div", b.image, b.const(0)))))
    with pytest.raises(InputError, match="not finite"):
        observe(program, [torch.ones(1, 1, 2, 2)], {program.steps[0].output}, histograms=False)


def test_an_unknown_method_names_the_known() -> None:
    with pytest.raises(InputError, match="minmax, percentile, mse"):
        choose(observation(np.arange(9.0)), "entropy")
