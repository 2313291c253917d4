import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from onnx_graphs import Builder

from melanoma_edge.errors import InputError
from melanoma_edge.quantization.executor import load, run
from melanoma_edge.quantization.ranges import (
    AT_ONCE,
    METHODS,
    Observation,
    bin_of,
    centres,
    choose,
    merge,
    observation,
    observe,
)


def seen(values: np.ndarray, gradient: np.ndarray | None = None) -> Observation:
    slopes = None if gradient is None else torch.tensor(gradient, dtype=torch.float32)
    return observation(torch.tensor(values, dtype=torch.float32), slopes)


def squared_error(values: np.ndarray, method: str) -> float:
    affine = choose(seen(values), method)
    integers = np.clip(np.rint(values / affine.scale) + affine.zero_point, 0, 255)
    return float(np.square((integers - affine.zero_point) * affine.scale - values).mean())


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=50), st.sampled_from(METHODS))
@example([0.0, 1.401298464324817e-45], "mse")
def test_any_values_give_usable_parameters(values: list[float], method: str) -> None:
    affine = choose(seen(np.array(values, np.float32)), method)
    assert np.isfinite(affine.scale) and affine.scale > 0 and 0 <= affine.zero_point <= 255


@pytest.mark.parametrize("method", METHODS)
def test_rectified_values_start_at_zero(method: str) -> None:
    values = np.maximum(np.random.default_rng(0).normal(size=20000), 0)
    affine = choose(seen(values), method)
    assert affine.zero_point == 0 and affine.high <= values.max() * 1.001


def test_least_squares_clips_outliers_and_minmax_does_not() -> None:
    values = np.random.default_rng(0).standard_t(3, size=200_000)
    assert choose(seen(values), "minmax").high == pytest.approx(values.max(), rel=0.01)
    assert choose(seen(values), "mse").high < 0.8 * values.max()
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
    affine = choose(seen(values), "percentile")
    assert -1.1 < affine.low < -0.9 and 0.9 < affine.high < 1.1


def test_a_bin_holds_a_thirty_second_of_an_octave() -> None:
    values = torch.randn(10_000) * torch.logspace(-6, 6, 10_000)
    middles = centres()[bin_of(values).numpy()]
    assert np.abs(middles / values.numpy() - 1).max() <= 1 / 64 + 1e-6


def test_merged_observations_are_those_of_all_values() -> None:
    rng = np.random.default_rng(0)
    (a, b), (g, h) = (rng.normal(size=(2, 5000)) for _ in range(2))
    both, merged = seen(np.append(a, b), np.append(g, h)), merge([seen(a, g), seen(b, h)])
    assert (merged.low, merged.high) == (both.low, both.high)
    np.testing.assert_array_equal(merged.counts, both.counts)
    np.testing.assert_allclose(merged.importance, both.importance)


def test_no_value_of_a_large_tensor_goes_uncounted() -> None:
    rng = np.random.default_rng(0)
    values, slopes = (rng.normal(size=(2, 3, 300, 401)).astype(np.float32) for _ in range(2))
    slopes[1, 2, 299, 400] = 1e4  # the last, and nearly all of what decides
    assert values.size > AT_ONCE
    found = seen(values, slopes)
    assert found.counts.sum() == values.size
    assert found.importance.sum() == pytest.approx(np.square(slopes, dtype=np.float64).sum())
    assert found.importance.argmax() == int(bin_of(torch.tensor([values[1, 2, 299, 400]])))


def test_a_range_is_not_stretched_for_values_that_decide_nothing() -> None:
    values = np.append(np.random.default_rng(0).normal(size=20_000), [100.0, -60.0])
    gradient = np.append(np.ones(20_000), [1e-6, 1e-6])
    assert choose(seen(values), "mse").high > 20
    fisher = choose(seen(values, gradient), "fisher")
    assert 2 < fisher.high < 5 and -5 < fisher.low < -2
    assert choose(seen(values), "fisher") == choose(seen(values), "mse")  # without gradients all values count alike


@pytest.mark.parametrize("gradients", [False, True])
def test_batches_do_not_matter(gradients: bool) -> None:
    b = Builder((1, 3, 6, 6))
    program = load(b.done(b.linear(b.op("Flatten", b.op("Relu", b.conv(b.image, 2, 3))), 2)))
    images = torch.randn(7, 3, 6, 6)
    names = {step.output for step in program.steps} | {"image"}
    one = observe(program, [images], names, gradients=gradients)  # type: ignore[arg-type]
    many = observe(program, images.split(2), names, gradients=gradients)  # type: ignore[arg-type]
    values = run(program, images, keep=names)
    for name in names - {"image"}:
        assert one[name].low == pytest.approx(many[name].low, rel=1e-5)
        assert one[name].high == pytest.approx(float(values[name].max()), rel=1e-5)
        assert one[name].counts.sum() == many[name].counts.sum() == values[name].numel()
        assert one[name].importance.sum() == pytest.approx(many[name].importance.sum(), rel=1e-4)
        assert gradients == (one[name].importance.sum() > 0)
    assert one["image"].counts.sum() == images.numel()


def test_importance_is_the_squared_gradient_of_the_probability() -> None:
    b = Builder((1, 3, 4, 4))
    program = load(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 4)))), 2)))
    images, head = torch.randn(5, 3, 4, 4), program.steps[-1].inputs[0]
    pooled = run(program, images, keep={head})[head].requires_grad_()
    spread = program.steps[-1].apply([pooled, *(program.constants[n] for n in program.steps[-1].inputs[1:])]).softmax(1)
    (slope,) = torch.autograd.grad((spread[:, 1] - spread[:, 0]).sum(), [pooled])
    found = observe(program, [images], {head}, gradients=True)[head]  # type: ignore[arg-type]
    assert found.importance.sum() == pytest.approx(float(slope.double().square().sum()), rel=1e-5)


def test_a_network_that_is_not_finite_is_an_input_error() -> None:
    b = Builder((1, 1, 2, 2))
    program = load(b.done(b.op("Flatten", b.op("Div", b.image, b.const(0)))))
    with pytest.raises(InputError, match="not finite"):
        observe(program, [torch.ones(1, 1, 2, 2)], {program.steps[0].output}, gradients=False)


def test_an_unknown_method_names_the_known() -> None:
    with pytest.raises(InputError, match="minmax, percentile, mse, fisher"):
        choose(seen(np.arange(9.0)), "entropy")
