"""The bootstrap: its figures are those of scikit-learn on drawn images, and its intervals hold what they promise."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from melanoma_edge.verify import bootstrap as module
from melanoma_edge.verify.bootstrap import FIGURES, bootstrap
from melanoma_edge.verify.metrics import partial_auc


def sample(seed: int, n: int, levels: int = 0, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    latent = rng.normal(size=n) + 1.2 * positive
    one, other = (1 / (1 + np.exp(-latent - noise * rng.normal(size=n))) for _ in range(2))
    return positive, *((np.round(p * levels) / levels if levels else p) for p in (one, other))


@given(st.integers(0, 999), st.integers(5, 60), st.sampled_from([0, 5, 50]))
@settings(max_examples=40)
def test_figures_of_a_draw_are_those_of_the_images_written_out(seed: int, n: int, levels: int) -> None:
    positive, one, _ = sample(seed, n, levels)
    order = np.argsort(positive, kind="stable")
    positive, one = positive[order], one[order]
    weights = np.random.default_rng(seed).integers(0, 4, n).astype(np.uint8)
    drawn = np.repeat(np.arange(n), weights)
    y, p = positive[drawn], one[drawn]
    found = dict(zip(FIGURES, module._figures(*module._rank(positive, one, 0.5), weights), strict=True))
    if 0 < y.sum() < len(y):
        assert found["auc"] == pytest.approx(sk.roc_auc_score(y, p), abs=1e-9)
        assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, p), abs=1e-9)
        assert found["partial_auc"] == pytest.approx(partial_auc(y, p), abs=1e-9)
        assert found["sensitivity"] == pytest.approx(sk.recall_score(y, p >= 0.5), abs=1e-9)
        assert found["f2"] == pytest.approx(sk.fbeta_score(y, p >= 0.5, beta=2), abs=1e-9)


def test_images_of_one_lesion_are_drawn_together() -> None:
    positive, one, other = sample(0, 300)
    alone = bootstrap(positive, (one, other), 0.5, np.arange(300), resamples=400)
    tripled = [np.repeat(a, 3) for a in (positive, one, other)]
    lesions = np.repeat(np.arange(300), 3)
    together = bootstrap(tripled[0], (tripled[1], tripled[2]), 0.5, lesions, resamples=400)
    apart = bootstrap(tripled[0], (tripled[1], tripled[2]), 0.5, np.arange(900), resamples=400)

    def width(interval: module.Interval) -> float:
        return interval.artifact[1] - interval.artifact[0]

    assert width(together["sensitivity"]) == pytest.approx(width(alone["sensitivity"]), rel=0.15)
    assert width(apart["sensitivity"]) < 0.75 * width(together["sensitivity"])


def test_equal_networks_do_not_differ() -> None:
    positive, one, _ = sample(1, 200)
    for interval in bootstrap(positive, (one, one), 0.5, np.arange(200), resamples=100).values():
        assert interval.difference == (0, 0) and interval.reference == interval.artifact


def test_coverage_of_the_differences() -> None:
    """Of 100 studies of 200 lesions with two images each, the true differences lie in about 95 % of the intervals."""
    truth_positive, truth_one, truth_other = sample(10_000, 400_000, noise=1.0)
    called = [(p >= 0.5)[truth_positive].mean() for p in (truth_one, truth_other)]
    truths = {
        "auc": sk.roc_auc_score(truth_positive, truth_other) - sk.roc_auc_score(truth_positive, truth_one),
        "sensitivity": called[1] - called[0],
    }
    inside = dict.fromkeys(truths, 0)
    for seed in range(100):
        positive, one, other = (np.repeat(a, 2) for a in sample(seed, 200, noise=1.0))
        lesions = np.repeat(np.arange(200), 2)
        found = bootstrap(positive, (one, other), 0.5, lesions, resamples=200, seed=seed)
        for name, truth in truths.items():
            low, high = found[name].difference
            inside[name] += low <= truth <= high
    assert all(0.9 <= count / 100 <= 0.99 for count in inside.values()), inside


def test_very_many_images_are_drawn_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    positive, one, other = sample(2, 4000)
    few = bootstrap(positive, (one, other), 0.5, np.arange(4000), resamples=400)
    monkeypatch.setattr(module, "MANY", 1000)
    many = bootstrap(positive, (one, other), 0.5, np.arange(4000), resamples=400)
    for name in FIGURES:
        assert np.ptp(many[name].artifact) == pytest.approx(np.ptp(few[name].artifact), rel=0.25)


def test_it_does_not_depend_on_the_order_of_images_or_the_number_of_workers() -> None:
    positive, one, other = sample(3, 120)
    first = bootstrap(positive, (one, other), 0.5, np.arange(120), resamples=50)
    assert bootstrap(positive, (one, other), 0.5, np.arange(120), resamples=50, workers=3) == first


def test_a_score_that_is_no_number_leaves_none() -> None:
    positive, one, other = sample(4, 20)
    other[3] = np.nan
    found = bootstrap(positive, (one, other), 0.5, np.arange(20), resamples=10)
    assert all(np.isnan(interval.difference).all() for interval in found.values())


@pytest.mark.slow
def test_a_million_predictions_take_less_than_a_minute() -> None:
    positive, one, other = sample(5, 1_000_000)
    lesions = np.unique(np.random.default_rng(0).integers(0, 700_000, 1_000_000), return_inverse=True)[1]
    started = time.monotonic()
    bootstrap(positive, (one, other), 0.5, lesions, workers=2)
    assert time.monotonic() - started < 60
