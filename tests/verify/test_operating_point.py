import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoma_edge.errors import InputError
from melanoma_edge.verify import metrics
from melanoma_edge.verify.operating_point import choose, parse
from melanoma_edge.verify.predictions import Predictions


def predictions(p: list[float], melanoma: list[int], split: str = "val") -> Predictions:
    with np.errstate(divide="ignore"):
        logits = np.stack([np.log1p(-np.array(p)), np.log(np.array(p))], axis=1).astype(np.float32)
    ids = tuple(str(i) for i in range(len(p)))
    return Predictions(ids, (split,) * len(p), np.array(melanoma, np.int64), logits, 1, ("other", "melanoma"))


#                              0    1    0    1    1    0    1
EXAMPLE = predictions([0.05, 0.15, 0.25, 0.35, 0.6, 0.7, 0.9], [0, 1, 0, 1, 1, 0, 1])


@pytest.mark.parametrize(
    ("rule", "threshold", "sensitivity", "specificity"),
    [
        ("sensitivity=0.75", 0.30, 3 / 4, 2 / 3),
        ("sensitivity=0.76", 0.10, 1.0, 1 / 3),
        ("sensitivity=1", 0.10, 1.0, 1 / 3),
        ("specificity=0.9", 0.80, 1 / 4, 1.0),
        ("specificity=0.5", 0.30, 3 / 4, 2 / 3),
        ("youden", 0.30, 3 / 4, 2 / 3),
        ("fbeta=2", 0.10, 1.0, 1 / 3),
        ("threshold=0.5", 0.50, 2 / 4, 2 / 3),
    ],
)
def test_rules_by_hand(rule: str, threshold: float, sensitivity: float, specificity: float):
    point = choose(rule, EXAMPLE)
    assert point.threshold == pytest.approx(threshold, abs=1e-6)
    assert (point.sensitivity, point.specificity) == pytest.approx((sensitivity, specificity))
    assert point.rule == rule
    assert point.chosen_on == ("given" if rule.startswith("threshold") else "val")


scores = st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=2, max_size=40).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


@settings(max_examples=40, deadline=None)
@given(scores, st.sampled_from(["sensitivity", "specificity", "youden", "fbeta"]), st.floats(0.05, 1))
def test_no_other_threshold_is_better(rows, name, target):
    given_predictions = predictions([p for p, _ in rows], [label for _, label in rows])
    rule = name if name == "youden" else f"{name}={target}"
    point = choose(rule, given_predictions)
    positive, p = given_predictions.is_melanoma, given_predictions.p
    everywhere = [metrics.confusion(positive, p, t) for t in [0.0, *np.unique(p), 2.0]]
    best = {
        "sensitivity": max(c.specificity for c in everywhere if c.sensitivity >= target),
        "specificity": max(c.sensitivity for c in everywhere if c.specificity >= target),
        "youden": max(c.sensitivity + c.specificity for c in everywhere),
        "fbeta": max(c.fbeta(target) for c in everywhere),
    }[name]
    at = metrics.confusion(positive, p, point.threshold)
    reached = {
        "sensitivity": at.specificity if at.sensitivity >= target else -1,
        "specificity": at.sensitivity if at.specificity >= target else -1,
        "youden": at.sensitivity + at.specificity,
        "fbeta": at.fbeta(target),
    }[name]
    assert reached == pytest.approx(best, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(scores)
def test_float_noise_on_the_scores_does_not_decide(rows):
    given_predictions = predictions([p for p, _ in rows], [label for _, label in rows])
    point = choose("sensitivity=0.9", given_predictions)
    p = np.unique(given_predictions.p)
    lower, upper = p[p < point.threshold], p[p >= point.threshold]
    if len(lower) and len(upper):
        gap = upper[0] - lower[-1]
        assert point.threshold - lower[-1] >= gap * 0.49
        assert upper[0] - point.threshold >= gap * 0.49 or gap < 1e-15


def test_a_threshold_above_all_scores_is_half_way_to_one():
    assert choose("specificity=1", predictions([0.2, 0.6], [1, 0])).threshold == pytest.approx(0.8, abs=1e-6)


def test_among_equals_the_lower_threshold_wins():
    # Calling everything and calling only the two above give the same Youden index.
    point = choose("youden", predictions([0.2, 0.4, 0.6, 0.8], [1, 0, 1, 0]))
    assert point.sensitivity == 1


def test_specificity_is_not_given_away_for_nothing():
    point = choose("specificity=0.5", predictions([0.1, 0.2, 0.3, 0.9], [0, 0, 0, 1]))
    assert (point.sensitivity, point.specificity) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "sensitivity", "sensitivity=90", "sensitivity=1.01", "sensitivity=0", "sensitivity=nan"),
        *("specificity=1.01", "specificity=0", "fbeta=0", "fbeta=inf", "youden=1", "threshold=-0.1", "threshold=1.01"),
    ],
)
def test_rules_that_are_not_understood(text: str):
    with pytest.raises(InputError, match="accepted are sensitivity=X"):
        parse(text)


def test_split_must_have_what_the_rule_needs():
    only_other = predictions([0.1, 0.2], [0, 0])
    with pytest.raises(InputError, match="needs melanomas in the val images"):
        choose("sensitivity=0.9", only_other)
    with pytest.raises(InputError, match="needs images other than melanoma"):
        choose("youden", predictions([0.1, 0.2], [1, 1]))
    assert math.isnan(choose("threshold=0.5", only_other).sensitivity)


def test_nan_and_test_images_are_refused():
    with pytest.raises(InputError, match="1 of 2 reference probabilities on val are NaN"):
        choose("youden", predictions([0.1, math.nan], [0, 1]))
    with pytest.raises(InputError, match="chosen on the test split"):
        choose("youden", predictions([0.1, 0.2], [0, 1], "test"))
