"""The statistics of a binary decision in plain numpy. What is undefined (one class only, 0/0, a NaN score) is NaN.

Everywhere `positive` is a bool array `[N]` (True: melanoma) and `score` a float array `[N]` (probability of melanoma).
A decision is melanoma where `score >= threshold`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]

ECE_BINS = 10
PARTIAL = 0.8  # sensitivity above which the ISIC 2024 challenge counts the area


@dataclass(frozen=True, eq=False)
class Roc:
    """The ROC curve's points `[T + 1]`, from (0, 0) at threshold infinity to (1, 1)."""

    fpr: Scores
    tpr: Scores
    thresholds: Scores


@dataclass(frozen=True)
class Confusion:
    """Counts of decisions; `undefined` are images whose score is NaN, which makes every ratio NaN."""

    tp: int
    fp: int
    tn: int
    fn: int
    undefined: int = 0

    @property
    def sensitivity(self) -> float:
        """True positives among the positives (recall, true positive rate)."""
        return self._ratio(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """True negatives among the negatives."""
        return self._ratio(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float:
        """Positive predictive value (precision)."""
        return self._ratio(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> float:
        """Negative predictive value."""
        return self._ratio(self.tn, self.tn + self.fn)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity."""
        return (self.sensitivity + self.specificity) / 2

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return self.fbeta(1.0)

    @property
    def f2(self) -> float:
        """F-measure that weighs recall twice as much as precision."""
        return self.fbeta(2.0)

    def fbeta(self, beta: float) -> float:
        """F-measure that weighs recall `beta` times as much as precision (van Rijsbergen, 1979)."""
        weight = beta * beta
        return self._ratio((1 + weight) * self.tp, (1 + weight) * self.tp + weight * self.fn + self.fp)

    def _ratio(self, part: float, whole: float) -> float:
        return part / whole if whole and not self.undefined else float("nan")


def roc_curve(positive: Mask, score: Scores) -> Roc:
    """One point per distinct score, highest first; ties move both rates at once. Rates of a missing class are NaN."""
    tp, fp, thresholds = _cumulative(positive, score)
    if np.isnan(score).any():
        tp, fp = np.full_like(tp, np.nan), np.full_like(fp, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Roc(fp / (~positive).sum(), tp / positive.sum(), thresholds)


def auc(positive: Mask, score: Scores) -> float:
    """Area under the ROC curve: P(a melanoma scores higher than another) + P(equal) / 2 (Bamber, 1975)."""
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative or np.isnan(score).any():
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    midranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(midranks[inverse][positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def partial_auc(positive: Mask, score: Scores, least: float = PARTIAL) -> float:
    """Area between the ROC curve and the line of sensitivity `least`, from 0 to 1 - `least`: the score of the ISIC 2024
    challenge (Kurtansky et al., 2024, arXiv:2411.00834)."""
    roc = roc_curve(positive, score)
    return float("nan") if np.isnan(roc.fpr + roc.tpr).any() else partial_area(roc.fpr, roc.tpr, least)


def partial_area(fpr: Scores, tpr: Scores, least: float) -> float:
    """The part of a ROC curve's area above a sensitivity; straight lines between its points."""
    first = int(np.searchsorted(tpr, least, side="right"))  # the first point above the line
    if first == len(tpr):
        return 0.0
    share = (least - tpr[first - 1]) / (tpr[first] - tpr[first - 1])
    across = np.concatenate([[fpr[first - 1] + share * (fpr[first] - fpr[first - 1])], fpr[first:]])
    above = np.concatenate([[0.0], tpr[first:] - least])
    return float((np.diff(across) * (above[1:] + above[:-1])).sum() / 2)


def average_precision(positive: Mask, score: Scores) -> float:
    """Sum over the distinct scores, highest first, of precision times the gain in recall; no interpolation."""
    if not positive.any() or np.isnan(score).any():
        return float("nan")
    tp, fp, _ = _cumulative(positive, score)
    precision = tp[1:] / (tp[1:] + fp[1:])
    return float((np.diff(tp) / tp[-1] * precision).sum())


def confusion(positive: Mask, score: Scores, threshold: float) -> Confusion:
    """Decisions at a threshold, counted."""
    defined = ~np.isnan(score)
    called = score >= threshold
    tp, fp = int((positive & called).sum()), int((~positive & called).sum())
    tn, fn = int((~positive & ~called & defined).sum()), int((positive & ~called & defined).sum())
    return Confusion(tp, fp, tn, fn, int((~defined).sum()))


def ece(positive: Mask, score: Scores, bins: int = ECE_BINS) -> float:
    """Expected calibration error of the melanoma probability (Guo et al. 2017, arXiv:1706.04599, equation 3).

    Equal-width bins `((m - 1) / M, m / M]`, 0 in the first: the mean over images of |share of melanomas - mean
    probability| of their bin. The confidence is the probability of melanoma, not of the predicted class: decisions here
    are taken far from 0.5, so it is the melanoma probability that has to mean what it says.
    """
    if not len(score) or np.isnan(score).any():
        return float("nan")
    index = np.clip(np.ceil(score * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(index, score, bins) - np.bincount(index, positive, bins)
    return float(np.abs(gap).sum() / len(score))


def adaptive_ece(positive: Mask, score: Scores, bins: int = ECE_BINS) -> float:
    """As `ece`, with bins that hold equally many images (Nixon et al., 2019, arXiv:1904.01685): where nearly all
    probabilities are small, equal widths put them all in one bin. Bins part the sorted images; a tie may be parted.
    """
    if not len(score) or np.isnan(score).any():
        return float("nan")
    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, min(bins, len(score)))
    gaps = [abs(float(score[part].sum() - positive[part].sum())) for part in parts]
    return float(sum(gaps) / len(score))


def brier(positive: Mask, score: Scores) -> float:
    """Mean squared difference between the probability of melanoma and the truth (Brier, 1950)."""
    return float(np.mean((score - positive) ** 2)) if len(score) else float("nan")


def flips(reference: Scores, artifact: Scores, threshold: float) -> Mask:
    """True where two networks decide differently at the threshold `[N]`; a NaN on either side counts as different."""
    undefined = np.isnan(reference) | np.isnan(artifact)
    mask: Mask = undefined | ((reference >= threshold) != (artifact >= threshold))
    return mask


def thin(roc: Roc, limit: int = 400) -> Roc:
    """The curve with at most `limit` points, both ends kept, for a plot.

    Points on a straight line go first, which changes nothing. If that is not enough, corners are taken evenly along the
    curve: no point is then farther than 2 / (limit - 1) in |fpr| + |tpr| from a kept one. An undefined curve is empty.
    """
    if np.isnan(roc.fpr + roc.tpr).any():
        return Roc(roc.fpr[:0], roc.tpr[:0], roc.thresholds[:0])
    across, up = np.diff(roc.fpr), np.diff(roc.tpr)
    turns = np.abs(across[:-1] * up[1:] - across[1:] * up[:-1]) > 1e-15
    keep = np.flatnonzero(np.concatenate([[True], turns, [True]]))
    if len(keep) > limit:
        along = (roc.fpr + roc.tpr)[keep]
        keep = keep[np.unique(np.searchsorted(along, np.linspace(0, along[-1], limit)))]
    return Roc(roc.fpr[keep], roc.tpr[keep], roc.thresholds[keep])


def _cumulative(positive: Mask, score: Scores) -> tuple[Scores, Scores, Scores]:
    """Positives and negatives at or above each distinct score, highest first, led by (0, 0, infinity)."""
    order = np.argsort(-score, kind="stable")
    ordered, hits = score[order], positive[order]
    last_of_tie = np.flatnonzero(np.concatenate([ordered[1:] != ordered[:-1], [True] * bool(len(score))]))
    tp = np.cumsum(hits)[last_of_tie].astype(np.float64)
    fp = last_of_tie + 1.0 - tp
    return np.concatenate([[0.0], tp]), np.concatenate([[0.0], fp]), np.concatenate([[np.inf], ordered[last_of_tie]])
