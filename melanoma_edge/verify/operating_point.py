"""The threshold at which decisions are compared: chosen by a stated rule on validation images, never on test images."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from melanoma_edge.document import Share, by_name
from melanoma_edge.errors import InputError
from melanoma_edge.verify.metrics import confusion
from melanoma_edge.verify.predictions import Predictions

ACCEPTED = "sensitivity=X or specificity=X with X in (0, 1], youden, fbeta=B with B > 0, threshold=X with X in [0, 1]"


@dataclass(frozen=True)
class Rule:
    """A parsed rule. `value` is the target of sensitivity and specificity, beta, or the threshold; NaN for youden."""

    name: str
    value: float
    text: str


@dataclass(frozen=True)
class OperatingPoint:
    """The decision is melanoma where the probability is >= `threshold`. Sensitivity and specificity are those of the
    predictions it was chosen on, `chosen_on` names their split ("given" when the rule states the threshold).
    """

    rule: str
    threshold: float
    chosen_on: Annotated[str, Meta(pattern="^(val|given)$")]
    sensitivity: Share = None
    specificity: Share = None

    __getitem__ = by_name


def parse(text: str) -> Rule:
    """`sensitivity=0.90`, `specificity=0.9`, `youden`, `fbeta=2` or `threshold=0.5`. Raises InputError for all else."""
    name, _, number = text.strip().partition("=")
    if name == "youden" and not number:
        return Rule(name, math.nan, text)
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    in_range = {
        "sensitivity": 0 < value <= 1,
        "specificity": 0 < value <= 1,
        "fbeta": 0 < value < math.inf,
        "threshold": 0 <= value <= 1,
    }
    if not in_range.get(name, False):
        raise InputError(f"operating point {text!r} is not understood: accepted are {ACCEPTED}")
    return Rule(name, value, text)


def choose(rule: Rule | str, validation: Predictions) -> OperatingPoint:
    """Apply a rule to the reference's predictions of one split.

    sensitivity and specificity: the target is reached with the most of the other. youden (Youden, 1950) and fbeta: the
    highest index, the lower threshold among equals, since a missed melanoma costs more than a second look.
    The threshold lies midway between two neighbouring scores, so that no rounding of one decides.
    Raises InputError when the predictions lack a class that the rule needs, hold a NaN, or are of the test split.
    """
    chosen = parse(rule) if isinstance(rule, str) else rule
    score, positive = validation.p, validation.is_melanoma
    split = "+".join(sorted(set(validation.splits))) or "empty"
    if chosen.name == "threshold":
        threshold = chosen.value
    else:
        _check(chosen, score, positive, split)
        threshold = _best(chosen, score, positive)
    at = confusion(positive, score, threshold)
    where = "given" if chosen.name == "threshold" else split
    return OperatingPoint(chosen.text, threshold, where, at.sensitivity, at.specificity)


def _best(rule: Rule, score: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The best threshold; candidates run from the lowest up, so that argmax takes the lowest of equals."""
    thresholds = _candidates(score)
    positives, negatives = np.sort(score[positive]), np.sort(score[~positive])
    tp = len(positives) - np.searchsorted(positives, thresholds)
    fp = len(negatives) - np.searchsorted(negatives, thresholds)
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, specificity = tp / len(positives), (len(negatives) - fp) / len(negatives)
        weight = rule.value * rule.value
        index = {
            "sensitivity": np.where(sensitivity >= rule.value, -fp, -np.inf),
            "specificity": np.where(specificity >= rule.value, tp - fp / (len(score) + 1), -np.inf),
            "youden": sensitivity + specificity,
            "fbeta": (1 + weight) * tp / ((1 + weight) * tp + weight * (len(positives) - tp) + fp),
        }[rule.name]
    return float(thresholds[np.argmax(index)])


def _candidates(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Midpoints of neighbouring distinct scores, with 0 (all are called melanoma) below and a value above them all."""
    distinct = np.unique(score)
    middle = (distinct[:-1] + distinct[1:]) / 2
    middle = np.where(middle > distinct[:-1], middle, distinct[1:])  # neighbouring floats have no middle
    lowest = distinct[0] / 2
    highest = max(np.nextafter(distinct[-1], np.inf), (distinct[-1] + 1) / 2)
    return np.concatenate([[lowest], middle, [highest]])


def _check(rule: Rule, score: NDArray[np.float64], positive: NDArray[np.bool_], split: str) -> None:
    if "test" in split.split("+"):
        raise InputError(
            f"operating point {rule.text!r} would be chosen on the test split: give the validation split's"
        )
    if np.isnan(score).any():
        raise InputError(
            f"{int(np.isnan(score).sum())} of {len(score)} reference probabilities on {split} are NaN: "
            "no operating point can be chosen from a network that does not answer"
        )
    needs = {"sensitivity": (True,), "specificity": (False,), "fbeta": (True,), "youden": (True, False)}[rule.name]
    for kind in needs:
        if not (positive == kind).any():
            raise InputError(
                f"operating point {rule.text!r} needs {'melanomas' if kind else 'images other than melanoma'} in the "
                f"{split} images, which have none: add some, or state --operating-point threshold=X"
            )
