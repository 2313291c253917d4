"""Temperature scaling and reliability bins against scikit-learn and torch, and what scaling may not change."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from melanoma_edge.verify import metrics, temperature_scaling
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.temperature_scaling import Scaling


def drawn(seed: int, factor: float, classes: int = 2, n: int = 400) -> Predictions:
    """A network that is calibrated but for `factor` on its logits."""
    rng = np.random.default_rng(seed)
    exact = rng.normal(size=(n, classes)) * 2
    p = np.exp(exact) / np.exp(exact).sum(axis=1, keepdims=True)
    labels = (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    names = ("other", "melanoma", *(f"c{i}" for i in range(classes - 2)))
    ids = tuple(f"im{i}" for i in range(n))
    return Predictions(ids, ("val",) * n, labels, (exact * factor).astype(np.float32), 1, names)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(0.3, 4))
def test_two_classes_agree_with_a_logistic_regression(seed: int, factor: float) -> None:
    one = drawn(seed, factor)
    margin = (one.logits[:, 1].astype(np.float64) - one.logits[:, 0])[:, np.newaxis]
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, solver="newton-cholesky", tol=1e-14, max_iter=200)
    theirs.fit(margin, one.labels)
    assert temperature_scaling.temperature(one.logits, one.labels) == pytest.approx(1 / theirs.coef_[0, 0], rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(0.3, 4), st.integers(2, 7))
def test_it_is_where_the_likelihood_of_torch_has_no_slope(seed: int, factor: float, classes: int) -> None:
    one = drawn(seed, factor, classes)
    found = temperature_scaling.temperature(one.logits, one.labels)
    assert found is not None
    t = torch.tensor(found, dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(torch.from_numpy(one.logits).double() / t, torch.from_numpy(one.labels))
    loss.backward()
    assert t.grad is not None and abs(float(t.grad)) < 1e-9
    assert temperature_scaling.nll(one.logits.astype(np.float64) / found, one.labels) == pytest.approx(
        loss.item(), abs=1e-12
    )


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
def test_a_factor_is_found_again(factor: float) -> None:
    one = drawn(1, factor, n=20_000)
    assert temperature_scaling.temperature(one.logits, one.labels) == pytest.approx(factor, rel=0.05)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.floats(0.1, 10), st.sampled_from([0.0, 2.0]))
def test_scaling_leaves_decisions_and_ranking_alone(seed: int, by: float, shift: float) -> None:
    """What rounding to float32 makes equal may not change places either."""
    one = drawn(seed, 1.0)
    after = temperature_scaling.scaled(one, Scaling(by, (shift, -shift)))
    np.testing.assert_allclose(after.logits, one.logits.astype(np.float64) / by + [shift, -shift], rtol=1e-6, atol=1e-6)
    if not shift:
        np.testing.assert_array_equal(after.logits.argmax(axis=1), one.logits.argmax(axis=1))
    assert (np.diff(after.p[np.argsort(one.p, kind="stable")]) >= -1e-7).all()
    assert metrics.auc(one.is_melanoma, after.p) == pytest.approx(metrics.auc(one.is_melanoma, one.p), abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(0.3, 4))
def test_the_fitted_temperature_never_makes_the_likelihood_worse(seed: int, factor: float) -> None:
    one = drawn(seed, factor)
    found = temperature_scaling.temperature(one.logits, one.labels)
    assert found is not None
    after = temperature_scaling.scaled(one, Scaling(found, (0.0, 0.0)))
    assert temperature_scaling.nll(after.logits, one.labels) <= temperature_scaling.nll(one.logits, one.labels) + 1e-6
    assert temperature_scaling.temperature(after.logits, one.labels) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "logits",
    [
        [[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]],  # every answer right: the colder the better
        [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]],  # every answer wrong
        [[1.0, 1.0]] * 3,
        [[np.nan, 1.0], [1.0, 0.0], [0.0, 1.0]],
    ],
)
def test_there_may_be_no_temperature(logits: list[list[float]]) -> None:
    assert temperature_scaling.temperature(np.array(logits, np.float32), np.array([1, 0, 1])) is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(0.3, 4), st.floats(-3, 3))
def test_a_shift_agrees_with_a_logistic_regression(seed: int, factor: float, moved: float) -> None:
    one = drawn(seed, factor)
    logits = one.logits + np.float32([moved, 0])
    margin = (logits[:, 1].astype(np.float64) - logits[:, 0])[:, np.newaxis]
    theirs = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=200).fit(margin, one.labels)
    found = temperature_scaling.shifted(logits, one.labels)
    assert found is not None
    assert found.temperature == pytest.approx(1 / theirs.coef_[0, 0], rel=1e-6)
    assert found.shifts[1] - found.shifts[0] == pytest.approx(theirs.intercept_[0], abs=1e-6)
    assert sum(found.shifts) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 7])
def test_shifts_take_back_what_weighting_a_class_does(classes: int) -> None:
    one = drawn(3, 1.0, classes, n=8000)
    weighted = one.logits.copy()
    weighted[:, 1] += 2
    found = temperature_scaling.shifted(weighted, one.labels)
    assert found is not None
    assert found.shifts[1] - found.shifts[0] == pytest.approx(-2, abs=0.15)
    mended = temperature_scaling.scaled(replace(one, logits=weighted), found)
    assert metrics.ece(one.is_melanoma, mended.p) < 0.02
    alone = temperature_scaling.temperature(weighted, one.labels)
    assert alone is not None
    plain = temperature_scaling.scaled(replace(one, logits=weighted), Scaling(alone, (0.0,) * classes))
    assert metrics.ece(one.is_melanoma, plain.p) > 0.1


def test_there_may_be_no_shift() -> None:
    one = drawn(0, 1.0, 3)
    assert temperature_scaling.shifted(one.logits, np.minimum(one.labels, 1)) is None, "a class is missing"
    assert temperature_scaling.shifted(one.logits * np.float32(np.nan), one.labels) is None
    right = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    assert temperature_scaling.shifted(right, np.array([0, 1, 0, 1])) is None, "the colder the better"


@pytest.mark.parametrize("size", [1.0, 3.0, 10.0])
def test_classes_that_are_parted_have_no_best_shift_wherever_the_search_stops(size: float) -> None:
    labels = np.random.default_rng(0).integers(0, 2, 200)
    margin = (2 * labels - 1) * size * np.linspace(1, 2, 200)
    assert temperature_scaling.shifted(np.stack([-margin, margin], axis=1).astype(np.float32), labels) is None


def test_one_class_alone_says_nothing() -> None:
    one = drawn(0, 1.0)
    assert temperature_scaling.temperature(one.logits, np.zeros(len(one), np.int64)) is None
    assert temperature_scaling.temperature(one.logits[:0], one.labels[:0]) is None
    assert np.isnan(temperature_scaling.nll(one.logits[:0], one.labels[:0]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.sampled_from([5, 10, 15]))
def test_bins_agree_with_sklearn(seed: int, bins: int) -> None:
    one = drawn(seed, 1.5)
    positive, p = one.is_melanoma, one.p
    share, mean = calibration_curve(positive, p, n_bins=bins)  # without empty bins
    filled = [b for b in temperature_scaling.reliability(positive, p, bins) if b.count]
    np.testing.assert_allclose([b.melanomas for b in filled], share, rtol=0, atol=1e-12)
    np.testing.assert_allclose([b.p for b in filled], mean, rtol=0, atol=1e-12)


@given(st.integers(0, 999))
def test_bins_hold_every_image_and_sum_up_to_the_ece(seed: int) -> None:
    one = drawn(seed, 2.0)
    bins = temperature_scaling.reliability(one.is_melanoma, one.p)
    assert sum(b.count for b in bins) == len(one)
    gaps = sum(b.count * abs(b.p - b.melanomas) for b in bins if b.count) / len(one)
    assert gaps == pytest.approx(metrics.ece(one.is_melanoma, one.p), abs=1e-12)


def test_a_nan_has_no_bin() -> None:
    assert temperature_scaling.reliability(np.array([True]), np.array([np.nan])) == []
