"""What is fitted again on a network's own validation predictions."""

from dataclasses import replace

import numpy as np
import pytest

from melanoma_edge.verify import operating_point, temperature_scaling
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.refit import refit

N = 600
RULE = "sensitivity=0.90"


def network(factor: float = 1.0, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = (np.arange(N) % 4 == 0).astype(np.int64)
    margin = rng.normal(labels * 1.8 - 1.5, 1.2)
    logits = np.stack([-margin / 2, margin / 2], axis=1).astype(np.float32) * np.float32(factor)
    splits = tuple("val" if i < N // 2 else "test" for i in range(N))
    return Predictions(tuple(f"im{i}" for i in range(N)), splits, labels, logits, 1, ("other", "melanoma"))


def test_a_rescaled_network_gets_its_decisions_back_at_its_own_threshold():
    truth, warm = network(), network(2.0)
    point = operating_point.choose(RULE, truth.only("val"))
    told = refit(warm, RULE, 0.8, (truth.only("test"), point.threshold))
    assert told["decisions"]["flips"] == 0
    assert told["operating_point"]["threshold"] != pytest.approx(point.threshold, abs=1e-2)
    before = refit(truth, RULE, 0.8)
    assert told["temperature"] == pytest.approx(2 * before["temperature"], rel=1e-6)
    assert told["decisions"]["sensitivity"] == before["decisions"]["sensitivity"]


def test_after_the_temperature_one_is_left():
    validation = network().only("val")
    found = temperature_scaling.temperature(validation.logits, validation.labels)
    assert found is not None
    cool = temperature_scaling.scaled(network(), temperature_scaling.Scaling(found, (0.0, 0.0)))
    assert refit(cool, RULE, 0.8)["temperature"] == pytest.approx(1, abs=1e-6)


def test_flips_are_counted_against_the_reference():
    truth, other = network(), network(seed=1)
    point = operating_point.choose(RULE, truth.only("val"))
    own = operating_point.choose(RULE, other.only("val"))
    told = refit(other, RULE, 0.8, (truth.only("test"), point.threshold))
    wanted = (truth.only("test").p >= point.threshold) != (other.only("test").p >= own.threshold)
    assert told["decisions"]["flips"] == wanted.sum() > 0


def test_the_table_counts_what_is_answered():
    told = refit(network(), RULE, 0.7)["rejection"]
    assert told["before"]["n"] == N // 2
    assert told["kept"] >= 0.7
    assert told["after"]["n"] < told["before"]["n"] and told["after"]["brier"] < told["before"]["brier"]


def test_a_network_without_numbers_on_validation_is_left_alone():
    broken = network()
    logits = broken.logits.copy()
    logits[3] = np.nan
    assert refit(replace(broken, logits=logits), RULE, 0.8) == {}
