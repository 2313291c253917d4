"""What ships is the reference's policy: which images a file then answers otherwise, and what is told of it."""

from dataclasses import replace

import numpy as np
import pytest

from melanoma_edge.verify import temperature_scaling
from melanoma_edge.verify.answering import Thresholds, answering, uncertainty
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.rejection import entropy

N = 600
AT = Thresholds(0.4, 0.6)


def network(factor: float = 1.0, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = (np.arange(N) % 4 == 0).astype(np.int64)
    margin = rng.normal(labels * 1.8 - 1.5, 1.2)
    logits = np.stack([-margin / 2, margin / 2], axis=1).astype(np.float32) * np.float32(factor)
    splits = tuple("val" if i < N // 2 else "test" for i in range(N))
    return Predictions(tuple(f"im{i}" for i in range(N)), splits, labels, logits, 1, ("other", "melanoma"))


def test_the_own_temperature_is_that_of_validation_and_one_is_left_after_it() -> None:
    validation = network().only("val")
    found = temperature_scaling.temperature(validation.logits, validation.labels)
    assert found is not None
    assert answering(network(2.0), AT).own_temperature == pytest.approx(2 * found, rel=1e-6)
    cool = temperature_scaling.scaled(network(), temperature_scaling.Scaling(found, (0.0, 0.0)))
    assert answering(cool, AT).own_temperature == pytest.approx(1, abs=1e-6)


def test_the_table_counts_the_test_images_that_are_answered() -> None:
    told, test = answering(network(), AT), network().only("test")
    assert told.all.n == N // 2 and told.answered.n == (entropy(test.p) <= AT.uncertain).sum() < told.all.n
    assert told.answered.brier < told.all.brier


def test_images_that_change_between_answered_and_uncertain_are_counted_both_ways() -> None:
    truth, other = network().only("test"), network(seed=1).only("test")
    told = uncertainty(truth, other, AT)
    pairs = [
        (entropy(np.array([p]))[0] <= 0.6, entropy(np.array([q]))[0] <= 0.6, (p >= 0.4) != (q >= 0.4))
        for p, q in zip(truth.p, other.p, strict=True)
    ]
    assert told.became_uncertain == sum(was and not now for was, now, _ in pairs) > 0
    assert told.became_answered == sum(now and not was for was, now, _ in pairs) > 0
    assert told.answered_by_both == sum(was and now for was, now, _ in pairs)
    assert told.flips_among_both == sum(was and now and flip for was, now, flip in pairs) > 0


def test_the_same_network_changes_nothing_and_no_number_is_uncertain() -> None:
    truth = network().only("test")
    told = uncertainty(truth, truth, AT)
    assert (told.became_uncertain, told.became_answered, told.flips_among_both) == (0, 0, 0)
    broken = replace(truth, logits=np.full_like(truth.logits, np.nan))
    told = uncertainty(truth, broken, AT)
    assert told.became_uncertain == (entropy(truth.p) <= AT.uncertain).sum() and told.answered_by_both == 0
