"""Refusal by entropy: against scipy, against a plain search, and where everything or nothing could be refused."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from melanoma_edge.verify import metrics, rejection

samples = st.lists(st.tuples(st.booleans(), st.integers(0, 30)), min_size=1, max_size=60)


def arrays(sample: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in sample], bool), np.array([s / 30 for _, s in sample])


@given(samples)
def test_entropy_agrees_with_scipy(sample):
    _, p = arrays(sample)
    np.testing.assert_allclose(rejection.entropy(p), scipy.stats.entropy([p, 1 - p]), rtol=0, atol=1e-15)


def test_entropy_has_its_ends_and_its_highest_value():
    np.testing.assert_array_equal(rejection.entropy(np.array([0.0, 0.5, 1.0])), [0, math.log(2), 0])


@settings(deadline=None)
@given(samples, st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_the_threshold_is_the_best_of_all(sample, min_kept):
    positive, p = arrays(sample)
    nats = rejection.entropy(p)

    def objective(threshold: float) -> float:
        keep = nats <= threshold
        return (metrics.ece(positive[keep], p[keep]) + metrics.brier(positive[keep], p[keep])) / 2

    found = rejection.choose(positive, p, min_kept)
    kept = nats <= found.threshold
    assert found.kept == kept.mean() >= min_kept
    assert found.objective == pytest.approx(objective(found.threshold), abs=1e-12)
    others = [t for t in nats + 1e-12 if (nats <= t).mean() >= min_kept]
    assert found.objective <= min(map(objective, others), default=math.inf) + 1e-12


@given(samples)
def test_nothing_is_refused_where_everything_must_be_answered(sample):
    found = rejection.choose(*arrays(sample), 1.0)
    assert found.kept == 1
    assert not (rejection.entropy(np.linspace(0, 1, 101)) > rejection.HIGHEST).any()


def test_equal_entropies_are_refused_together_or_not_at_all():
    found = rejection.choose(np.array([True] * 10), np.full(10, 0.5), 0.1)
    assert found.threshold == rejection.HIGHEST and found.kept == 1


def test_a_share_is_kept_however_good_fewer_would_be():
    p = np.concatenate([np.zeros(10), np.full(90, 0.4)])
    found = rejection.choose(np.zeros(100, bool), p, 0.8)
    assert found.kept == 1  # the ten certain ones alone would have no error at all


def test_neighbouring_floats_are_parted_rightly():
    p = np.array([0.2, np.nextafter(0.2, 1), np.nextafter(np.nextafter(0.2, 1), 1), 0.5])
    for least in (0.25, 0.5, 0.75):
        found = rejection.choose(np.array([False, True, False, True]), p, least)
        assert found.kept == (rejection.entropy(p) <= found.threshold).mean()


@pytest.mark.parametrize("p", [[], [0.5, np.nan]])
def test_without_numbers_nothing_is_refused_and_there_is_no_curve(p):
    positive, scores = np.zeros(len(p), bool), np.array(p, float)
    assert rejection.choose(positive, scores).threshold == rejection.HIGHEST
    assert rejection.curve(positive, scores, 0.5) == rejection.Curve()
    assert math.isnan(rejection.figures(positive, scores, 0.5).accuracy)


@given(samples, st.integers(0, 30))
def test_the_curve_begins_at_the_accuracy_of_all(sample, at):
    positive, p = arrays(sample)
    told = rejection.curve(positive, p, at / 30)
    assert told.rejected[0] == 0 and list(told.rejected) == sorted(told.rejected)
    assert told.accuracy[0] == pytest.approx(accuracy_score(positive, p >= at / 30), abs=1e-12)
    assert rejection.figures(positive, p, at / 30).accuracy == pytest.approx(told.accuracy[0], abs=1e-12)


def test_each_point_of_the_curve_is_the_accuracy_of_the_surest():
    rng = np.random.default_rng(0)
    positive, p = rng.random(400) < 0.3, rng.random(400)
    told = rejection.curve(positive, p, 0.4)
    for rejected, accuracy in zip(told.rejected, told.accuracy, strict=True):
        surest = np.argsort(rejection.entropy(p), kind="stable")[: round(400 * (1 - rejected))]
        assert accuracy == pytest.approx(accuracy_score(positive[surest], p[surest] >= 0.4), abs=1e-12)


def test_a_million_images_are_chosen_from_in_seconds():
    rng = np.random.default_rng(0)
    p = rng.beta(0.3, 2, 1_000_000)
    found = rejection.choose(rng.random(1_000_000) < p, p, 0.8)
    assert 0.8 <= found.kept <= 1
