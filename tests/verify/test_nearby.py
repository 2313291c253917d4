import numpy as np
import pytest

from melanoma_edge.verify import operating_point
from melanoma_edge.verify.nearby import nearby
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions


def predictions(p: np.ndarray, labels: np.ndarray) -> Predictions:
    logits = np.stack([np.zeros(len(p)), np.log(p / (1 - p))], 1).astype(np.float32)
    ids = tuple(f"i{i}" for i in range(len(p)))
    return Predictions(ids, ("val",) * len(p), labels, logits, 1, ("other", "melanoma"))


def pair(seed: int, noise: float, n: int = 1500) -> tuple[Predictions, Predictions]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.15).astype(np.int64)
    logits = rng.normal(2 * labels - 1.5, 1.2)
    before, after = (1 / (1 + np.exp(-(logits + noise * z))) for z in (0, rng.normal(size=n)))
    return predictions(before, labels), predictions(after, labels)


def test_an_artifact_that_answers_alike_flips_nothing() -> None:
    reference, other = pair(0, 0.1)
    point = operating_point.choose("sensitivity=0.9", reference)
    alike = nearby(reference, reference, point)
    assert alike.flip_rate == alike.sensitivity_drop == 0 < nearby(reference, other, point).flip_rate


def test_it_estimates_the_flip_rate_with_less_spread_than_one_threshold_does() -> None:
    near, at = [], []
    for seed in range(40):
        reference, artifact = pair(seed, 0.1)
        point = operating_point.choose("sensitivity=0.9", reference)
        near.append(nearby(reference, artifact, point).flip_rate)
        at.append(compare(reference, artifact, point).flip_rate)
    assert np.mean(near) == pytest.approx(np.mean(at), rel=0.2)
    assert np.std(near) < 0.7 * np.std(at)


def test_its_thresholds_lie_between_neighbouring_scores_around_the_operating_point() -> None:
    """By hand: 40 scores, of which four on either side count; one image crosses the highest two of the thresholds."""
    p = np.linspace(0.01, 0.99, 40)
    labels = (np.arange(40) % 2).astype(np.int64)
    other = p.copy()
    other[21] = p[23] + 1e-3  # was below the 22nd and 23rd threshold, and is not
    point = operating_point.choose(f"threshold={p[19:21].mean()}", predictions(p, labels))
    found = nearby(predictions(p, labels), predictions(other, labels), point)
    assert found.flip_rate == pytest.approx(2 / 8 / 40)
    assert found.sensitivity_drop == pytest.approx(-2 / 8 / 20)


def test_an_artifact_that_answers_lower_loses_sensitivity() -> None:
    reference, _ = pair(1, 0.0)
    lower = predictions(reference.p * 0.8, reference.labels)
    point = operating_point.choose("sensitivity=0.9", reference)
    assert nearby(reference, lower, point).sensitivity_drop > 0.02


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_threshold_beyond_all_scores_is_judged_at_the_nearest(threshold: float) -> None:
    reference, artifact = pair(2, 0.1)
    point = operating_point.choose(f"threshold={threshold}", reference)
    assert 0 <= nearby(reference, artifact, point).flip_rate < 0.1


def test_one_score_for_all_and_undefined_scores() -> None:
    labels = np.array([0, 1, 0, 1])
    flat = predictions(np.full(4, 0.5), labels)
    point = operating_point.choose("threshold=0.5", flat)
    assert nearby(flat, flat, point).flip_rate == 0
    broken = predictions(np.array([0.5, np.nan, 0.5, 0.5]), labels)
    assert np.isnan(nearby(flat, broken, point).flip_rate)
