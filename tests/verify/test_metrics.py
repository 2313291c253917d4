import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from melanoma_edge.verify import metrics
from melanoma_edge.verify.metrics import Confusion, Roc

# Coarse scores, so that ties are common.
samples = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=80)


def arrays(sample: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in sample], bool), np.array([s / 12 for _, s in sample])


def both_classes(sample: list[tuple[bool, int]]) -> bool:
    return len({p for p, _ in sample}) == 2


@settings(max_examples=40, deadline=None)
@given(samples.filter(both_classes))
def test_curves_and_areas_agree_with_sklearn(sample):
    positive, score = arrays(sample)
    ours, theirs = metrics.roc_curve(positive, score), sk.roc_curve(positive, score, drop_intermediate=False)
    for a, b in zip((ours.fpr, ours.tpr, ours.thresholds), theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert metrics.auc(positive, score) == pytest.approx(sk.roc_auc_score(positive, score), abs=1e-12)
    assert metrics.average_precision(positive, score) == pytest.approx(
        sk.average_precision_score(positive, score), abs=1e-12
    )
    assert metrics.brier(positive, score) == pytest.approx(sk.brier_score_loss(positive, score), abs=1e-12)


def test_auc_agrees_with_sklearn_on_many_scores():
    rng = np.random.default_rng(0)
    positive, score = rng.random(20_000) < 0.1, rng.random(20_000).round(3)
    assert metrics.auc(positive, score) == pytest.approx(sk.roc_auc_score(positive, score), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(samples, st.integers(0, 12))
def test_decisions_agree_with_sklearn(sample, at):
    positive, score = arrays(sample)
    called = score >= at / 12
    got = metrics.confusion(positive, score, at / 12)
    tn, fp, fn, tp = sk.confusion_matrix(positive, called, labels=[False, True]).ravel()
    assert (got.tp, got.fp, got.tn, got.fn) == (tp, fp, tn, fn)
    recall = sk.recall_score(positive, called, zero_division=np.nan)
    np.testing.assert_equal(got.sensitivity, recall)
    np.testing.assert_equal(got.ppv, sk.precision_score(positive, called, zero_division=np.nan))
    np.testing.assert_equal(got.specificity, sk.recall_score(~positive, ~called, zero_division=np.nan))
    np.testing.assert_equal(got.npv, sk.precision_score(~positive, ~called, zero_division=np.nan))
    np.testing.assert_allclose(got.f1, sk.f1_score(positive, called, zero_division=np.nan), rtol=1e-12)
    np.testing.assert_allclose(got.fbeta(2), sk.fbeta_score(positive, called, beta=2, zero_division=np.nan), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(samples)
def test_auc_of_swapped_classes_is_the_rest(sample):
    positive, score = arrays(sample)
    np.testing.assert_allclose(metrics.auc(positive, score), 1 - metrics.auc(~positive, score), atol=1e-12)


@pytest.mark.parametrize("kind", [True, False])
def test_one_class_is_undefined(kind: bool):
    positive, score = np.full(3, kind), np.array([0.1, 0.5, 0.9])
    at = metrics.confusion(positive, score, 0.5)
    assert math.isnan(metrics.auc(positive, score))
    assert math.isnan(at.specificity if kind else at.sensitivity)
    assert math.isnan(at.balanced_accuracy)
    curve = metrics.roc_curve(positive, score)
    assert np.isnan(curve.fpr if kind else curve.tpr).all()
    assert len(metrics.thin(curve).fpr) == 0
    assert math.isnan(metrics.average_precision(positive, score)) != kind


def test_nothing_is_undefined():
    positive, score = np.zeros(0, bool), np.zeros(0)
    undefined = (metrics.auc, metrics.average_precision, metrics.ece, metrics.brier)
    assert all(math.isnan(f(positive, score)) for f in undefined)
    assert math.isnan(metrics.confusion(positive, score, 0.5).sensitivity)


@settings(max_examples=40, deadline=None)
@given(samples.filter(both_classes), st.data())
def test_one_nan_score_makes_everything_undefined(sample, data):
    positive, score = arrays(sample)
    score[data.draw(st.integers(0, len(score) - 1))] = np.nan
    undefined = (metrics.auc, metrics.average_precision, metrics.ece, metrics.brier)
    assert all(math.isnan(f(positive, score)) for f in undefined)
    at = metrics.confusion(positive, score, 0.5)
    assert at.undefined == 1
    assert at.tp + at.fp + at.tn + at.fn == len(score) - 1
    ratios = (at.sensitivity, at.specificity, at.ppv, at.npv, at.f1, at.balanced_accuracy)
    assert all(math.isnan(r) for r in ratios)
    assert np.isnan(metrics.roc_curve(positive, score).tpr).all()


def test_nothing_called_melanoma_has_no_ppv():
    at = Confusion(tp=0, fp=0, tn=3, fn=2)
    assert math.isnan(at.ppv)
    assert (at.sensitivity, at.specificity, at.npv, at.f1) == (0, 1, 3 / 5, 0)


def test_ece_by_hand():
    # Bin [0, 0.1] holds 0, 0.05 and a melanoma at 0.1: |1 - 0.15|. Bin (0.8, 0.9] holds 0.9: |0 - 0.9|.
    positive = np.array([False, True, False, False])
    score = np.array([0.05, 0.10, 0.90, 0.0])
    assert metrics.ece(positive, score) == pytest.approx((0.85 + 0.9) / 4)


def test_ece_of_a_calibrated_coin_is_zero():
    score = np.repeat([0.25, 0.75], 4)
    positive = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    assert metrics.ece(positive, score) == pytest.approx(0)
    assert metrics.ece(~positive, score) == pytest.approx(0.5)


@settings(max_examples=40, deadline=None)
@given(samples)
def test_one_ece_bin_is_the_gap_of_the_means(sample):
    positive, score = arrays(sample)
    assert metrics.ece(positive, score, bins=1) == pytest.approx(abs(score.mean() - positive.mean()), abs=1e-12)


def test_flips_count_changed_decisions_and_nan():
    reference = np.array([0.4, 0.5, 0.6, 0.4, np.nan])
    artifact = np.array([0.5, 0.4, 0.9, 0.3, 0.9])
    assert metrics.flips(reference, artifact, 0.5).tolist() == [True, True, False, False, True]


@settings(max_examples=40, deadline=None)
@given(samples.filter(both_classes))
def test_thinning_without_need_keeps_the_curve(sample):
    positive, score = arrays(sample)
    curve = metrics.roc_curve(positive, score)
    thinned = metrics.thin(curve)
    area = np.trapezoid(thinned.tpr, thinned.fpr)
    assert area == pytest.approx(metrics.auc(positive, score), abs=1e-12)
    assert set(zip(thinned.fpr, thinned.tpr, strict=True)) <= set(zip(curve.fpr, curve.tpr, strict=True))


def test_thinning_a_long_curve_keeps_it_close():
    rng = np.random.default_rng(1)
    positive = rng.random(30_000) < 0.5
    curve = metrics.roc_curve(positive, rng.normal(positive * 1.2))
    limit = 100
    thinned = metrics.thin(curve, limit)
    assert 90 <= len(thinned.fpr) <= limit
    assert (thinned.fpr[0], thinned.tpr[0], thinned.fpr[-1], thinned.tpr[-1]) == (0, 0, 1, 1)
    gaps = np.diff(thinned.fpr + thinned.tpr)
    assert gaps.max() <= 2 * 2 / (limit - 1)
    assert np.trapezoid(thinned.tpr, thinned.fpr) == pytest.approx(np.trapezoid(curve.tpr, curve.fpr), abs=2e-3)


def test_thinning_drops_what_lies_on_a_line():
    curve = Roc(np.array([0, 0.2, 0.5, 1]), np.array([0, 0.2, 0.5, 1]), np.array([np.inf, 3, 2, 1]))
    assert metrics.thin(curve).fpr.tolist() == [0, 1]


def isic_2024(positive: np.ndarray, score: np.ndarray, least: float = 0.8) -> float:
    """The challenge's own scoring, by scikit-learn's standardised partial area of the turned-round problem."""
    turned, against = np.abs(positive.astype(float) - 1), -score
    most = abs(1 - least)
    scaled = sk.roc_auc_score(turned, against, max_fpr=most)
    return 0.5 * most**2 + (most - 0.5 * most**2) / (1.0 - 0.5) * (scaled - 0.5)


@settings(max_examples=60, deadline=None)
@given(samples.filter(both_classes), st.sampled_from([0.5, 0.8, 0.95]))
def test_partial_area_is_that_of_the_challenge(sample, least):
    positive, score = arrays(sample)
    assert metrics.partial_auc(positive, score, least) == pytest.approx(isic_2024(positive, score, least), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_torchmetrics_agrees(seed):
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(seed)
    positive = rng.random(500) < 0.2
    score = np.clip(rng.normal(0.3, 0.2, 500) + 0.2 * positive, 0.001, 0.999)
    p, y = torch.from_numpy(score), torch.from_numpy(positive.astype(int))
    at = metrics.confusion(positive, score, 0.4)
    pairs = [
        (metrics.auc(positive, score), theirs.binary_auroc(p, y)),
        (metrics.average_precision(positive, score), theirs.binary_average_precision(p, y)),
        (at.sensitivity, theirs.binary_recall(p, y, threshold=0.4)),
        (at.specificity, theirs.binary_specificity(p, y, threshold=0.4)),
        (at.f2, theirs.binary_fbeta_score(p, y, beta=2.0, threshold=0.4)),
        (at.npv, theirs.binary_negative_predictive_value(p, y, threshold=0.4)),
    ]
    for ours, other in pairs:
        assert ours == pytest.approx(float(other), abs=1e-6)  # theirs is in float32


def test_adaptive_bins_hold_equally_many():
    rng = np.random.default_rng(0)
    score = rng.random(1000) ** 4
    positive = rng.random(1000) < score
    edges = np.array_split(np.argsort(score), 10)
    wanted = np.mean([abs(score[e].mean() - positive[e].mean()) for e in edges])
    assert metrics.adaptive_ece(positive, score) == pytest.approx(wanted, abs=1e-12)
    assert metrics.adaptive_ece(positive, positive.astype(float)) == 0
    assert math.isnan(metrics.adaptive_ece(positive[:0], score[:0]))
    assert metrics.adaptive_ece(positive[:3], score[:3]) == pytest.approx(np.abs(score[:3] - positive[:3]).mean())
