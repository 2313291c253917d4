"""Do the probabilities mean what they say? Temperature scaling with and without shifts, and reliability bins."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize

from melanoma_edge.document import Count, Pair, Sha256, Share, by_name
from melanoma_edge.verify.metrics import ECE_BINS, Mask, Scores
from melanoma_edge.verify.predictions import Predictions, softmax

LEAST, MOST = 0.05, 20.0  # a temperature beyond them is no calibration
FARTHEST = 100.0  # nor is a shift of the logits beyond it


@dataclass(frozen=True)
class Scaling:
    """Calibrated logits are logits / temperature + shifts `[K]`, which add up to 0."""

    temperature: float
    shifts: tuple[float, ...]


@dataclass(frozen=True)
class Bin:
    """The images whose probability lies in `(low, high]`, 0 in the first bin. p: their mean probability of melanoma.
    melanomas: the share of them that are melanomas. Both are NaN in an empty bin.
    """

    low: Share
    high: Share
    count: Count
    p: Share
    melanomas: Share

    __getitem__ = by_name


@dataclass(frozen=True)
class TemperatureFacts:
    """What the reference's logits were divided by, in `value`, and what was then added to each class's, in `shifts`.

    why: why value is 1; None where it was fitted and folded. Pairs are test figures without and with it.
    uncalibrated_predictions: sha256 of the file.
    """

    value: Annotated[float, Meta(gt=0)]
    shifts: tuple[float, ...]
    wanted: str
    why: str | None
    fitted_on: str
    nll: Pair
    ece: Pair
    brier: Pair
    uncalibrated_predictions: Sha256

    __getitem__ = by_name


def temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float | None:
    """The T of least `nll(logits / T, labels)`; logits `[N, K]`, labels `[N]` (Guo et al., arXiv:1706.04599, 4.2).

    The likelihood is concave in 1 / T, so the root of its slope is the only optimum. None where there is no T between
    LEAST and MOST: labels of one class, logits that part the classes without an error or say nothing about them, and
    logits that are not finite.
    """
    wide = logits.astype(np.float64)
    if len(np.unique(labels)) < 2 or not np.isfinite(wide).all():
        return None
    own = wide[np.arange(len(labels)), labels].mean()

    def slope(factor: float) -> float:
        return float((softmax(wide * factor) * wide).sum(axis=1).mean() - own)

    coldest, hottest = 1 / MOST, 1 / LEAST
    if not slope(coldest) < 0 < slope(hottest):
        return None
    return float(1 / brentq(slope, coldest, hottest, xtol=1e-14, rtol=1e-14))


def shifted(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Scaling | None:
    """Temperature and one shift a class of least `nll` (bias-corrected temperature scaling, Alexandari et al.,
    arXiv:1901.06852).

    A loss that weighs rare classes up makes them look as frequent as the others; no temperature takes that back, a
    shift does. None where a class is missing, a logit is not finite, no temperature between LEAST and MOST with
    shifts within FARTHEST is best, or they part the classes without an error, which a colder one does better yet.
    """
    classes = logits.shape[1]
    if len(np.unique(labels)) < classes or not np.isfinite(logits).all():
        return None
    wide, wanted = logits.astype(np.float64), np.eye(classes)[labels]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        fitted = wide * parameters[0] + parameters[1:]
        slope = (softmax(fitted) - wanted) / len(wide)
        return nll(fitted, labels), np.concatenate([[float((slope * wide).sum())], slope.sum(axis=0)])

    found = minimize(loss, np.array([1.0, *[0.0] * classes]), jac=True, method="BFGS", options={"gtol": 1e-9}).x
    shifts = found[1:] - found[1:].mean()
    parted = bool(((wide * found[0] + shifts).argmax(axis=1) == labels).all())
    if parted or not 1 / MOST < found[0] < 1 / LEAST or not np.abs(shifts).max() < FARTHEST:
        return None
    return Scaling(float(1 / found[0]), tuple(float(shift) for shift in shifts))


def nll(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean negative log likelihood of labels `[N]` under the softmax of logits `[N, K]`, in nats; NaN for none."""
    if not len(labels):
        return float("nan")
    wide = logits.astype(np.float64)
    highest = wide.max(axis=1)
    total = highest + np.log(np.exp(wide - highest[:, np.newaxis]).sum(axis=1))
    return float((total - wide[np.arange(len(labels)), labels]).mean())


def scaled(predictions: Predictions, by: Scaling) -> Predictions:
    """The predictions of the same network with its logits calibrated, rounded to float32.

    With two classes neither a ranking nor, at the threshold moved along, a decision changes. With more, two images may
    change places by their probability of melanoma, though without shifts the highest logit stays the highest.
    """
    logits = predictions.logits.astype(np.float64) / by.temperature + np.array(by.shifts)
    return replace(predictions, logits=logits.astype(np.float32))


def reliability(positive: Mask, score: Scores, bins: int = ECE_BINS) -> list[Bin]:
    """The bins of `metrics.ece`, empty ones too, lowest first; none when a score is NaN."""
    if np.isnan(score).any():
        return []
    index = np.clip(np.ceil(score * bins).astype(np.int64) - 1, 0, bins - 1)
    counts, sums, hits = (np.bincount(index, weights, bins) for weights in (None, score, positive))
    with np.errstate(invalid="ignore"):
        p, share = sums / counts, hits / counts
    return [Bin(i / bins, (i + 1) / bins, int(counts[i]), float(p[i]), float(share[i])) for i in range(bins)]
