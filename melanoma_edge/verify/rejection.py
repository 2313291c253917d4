"""When to say "I do not know": images whose prediction has a high entropy are refused and left to a doctor.

After Kim et al., "Melanoma detection with uncertainty quantification" (arXiv:2411.10322): the largest entropy that is
still answered is the one with which ECE and Brier score of the answered validation images are least in the mean.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from scipy.special import entr

from melanoma_edge.document import Count, Share, by_name
from melanoma_edge.verify import metrics
from melanoma_edge.verify.metrics import ECE_BINS, Mask, Scores

HIGHEST = math.log(2)  # nats: the entropy of p = 0.5; as a threshold it refuses nothing
MIN_KEPT = 0.8
Nats = Annotated[float, Meta(ge=0, le=HIGHEST)]
CURVE = 96  # points of the accuracy-rejection curve, 0 to 95 % refused


@dataclass(frozen=True)
class Rejection:
    """Refuse where the entropy is > `threshold` (nats). kept: share of the images it was chosen on that are answered.
    objective: the mean of their ECE and Brier score. min_kept: the least share that was allowed.
    """

    threshold: Nats
    kept: Share
    objective: Share
    min_kept: Share

    __getitem__ = by_name


def entropy(p: Scores) -> Scores:
    """-p ln p - (1 - p) ln(1 - p) in nats `[N]`: of melanoma against the rest, whatever classes the rest has."""
    nats: Scores = np.minimum(entr(p) + entr(1 - p), HIGHEST)
    return nats


@dataclass(frozen=True)
class Curve:
    """Accuracy on the images that are left when a share is refused, the highest entropies first."""

    rejected: tuple[Share, ...] = ()
    accuracy: tuple[Share, ...] = ()

    __getitem__ = by_name


@dataclass(frozen=True)
class Figures:
    """What the table before and after refusal shows; NaN where it is not defined."""

    n: Count
    melanomas: Count
    accuracy: Share
    sensitivity: Share
    specificity: Share
    auc: Share
    ece: Share
    adaptive_ece: Share
    brier: Share

    __getitem__ = by_name


NOTHING = Rejection(HIGHEST, 1.0, None, 1.0)  # is refused


def choose(positive: Mask, p: Scores, min_kept: float = MIN_KEPT) -> Rejection:
    """The threshold with the least mean of ECE and Brier score over the images that it answers.

    At least a share `min_kept` is answered: both scores fall with nearly every image that is refused, so that alone
    they would refuse nearly all. Among equals, the threshold that answers most. It lies midway between two entropies.
    Without images, or when a probability is NaN, nothing is refused.
    """
    if not len(p) or np.isnan(p).any():
        return Rejection(HIGHEST, 1.0, math.nan, min_kept)
    order = np.argsort(entropy(p), kind="stable")
    values, score = entropy(p)[order], p[order]
    kept = np.arange(1, len(p) + 1)
    objective = (_ece(positive[order], score) + np.cumsum((score - positive[order]) ** 2) / kept) / 2
    middle = np.append((values[:-1] + values[1:]) / 2, HIGHEST)
    parts = np.append((values[:-1] <= middle[:-1]) & (middle[:-1] < values[1:]), True)
    allowed = np.flatnonzero(parts & (kept >= min_kept * len(p)))
    best = allowed[::-1][np.argmin(objective[allowed[::-1]])]
    return Rejection(float(middle[best]), float(kept[best] / len(p)), float(objective[best]), min_kept)


def curve(positive: Mask, p: Scores, threshold: float) -> Curve:
    """Of the decisions at `threshold`. Empty without images, or when a probability is NaN."""
    if not len(p) or np.isnan(p).any():
        return Curve()
    order = np.argsort(entropy(p), kind="stable")
    right = np.cumsum(((p >= threshold) == positive)[order])
    kept = np.unique([max(round(len(p) * (1 - i / 100)), 1) for i in range(CURVE)])[::-1]
    return Curve(tuple((1 - kept / len(p)).tolist()), tuple((right[kept - 1] / kept).tolist()))


def figures(positive: Mask, p: Scores, threshold: float) -> Figures:
    """Of decisions at `threshold`."""
    at = metrics.confusion(positive, p, threshold)
    defined = bool(len(p)) and not at.undefined
    return Figures(
        n=len(p),
        melanomas=int(positive.sum()),
        accuracy=(at.tp + at.tn) / len(p) if defined else math.nan,
        sensitivity=at.sensitivity,
        specificity=at.specificity,
        auc=metrics.auc(positive, p),
        ece=metrics.ece(positive, p),
        adaptive_ece=metrics.adaptive_ece(positive, p),
        brier=metrics.brier(positive, p),
    )


def _ece(positive: Mask, score: Scores) -> Scores:
    """`metrics.ece` of the first 1, 2, ... images `[N]`."""
    index = np.clip(np.ceil(score * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)
    total = np.zeros(len(score))
    for number in range(ECE_BINS):  # a bin at a time, so that a million images fit
        total += np.abs(np.cumsum(np.where(index == number, score - positive, 0.0)))
    return total / np.arange(1, len(score) + 1)
