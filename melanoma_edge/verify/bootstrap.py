"""Intervals of every figure, and of its change, by drawing the lesions again: paired, a percentile interval.

Images of one lesion are drawn together, since they are not independent (Field and Welsh, 2007); both networks meet the
same draw (Efron and Tibshirani, 1993, chapter 13). A draw is a weight for each image, so that scores are sorted once;
runs of images that no melanoma parts are added up at once. A million images with 2,000 draws take less than a minute.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from melanoma_edge.progress import Progress, silent
from melanoma_edge.verify.metrics import PARTIAL, Confusion, Mask, Scores, partial_area

RESAMPLES = 2000
LEVEL = 0.95
DECISIONS: Mapping[str, Callable[[Confusion], float]] = {
    "sensitivity": lambda c: c.sensitivity,
    "specificity": lambda c: c.specificity,
    "ppv": lambda c: c.ppv,
    "npv": lambda c: c.npv,
    "f1": lambda c: c.f1,
    "f2": lambda c: c.fbeta(2.0),
    "balanced_accuracy": lambda c: c.balanced_accuracy,
}
RANKINGS = ("auc", "average_precision", "partial_auc")
FIGURES = (*DECISIONS, *RANKINGS)
Weights = NDArray[np.uint8]
MANY = 100_000  # groups
# Counts of a Poisson distribution of mean 1 by 65,536 equally likely numbers.
POISSON: Weights = np.searchsorted(poisson.cdf(np.arange(9), 1), (np.arange(2**16) + 0.5) / 2**16).astype(np.uint8)


@dataclass(frozen=True)
class Interval:
    """A figure of the reference and the artifact, and the artifact's minus the reference's; each with its 95 % interval
    (low, high)."""

    reference: tuple[float, float]
    artifact: tuple[float, float]
    difference: tuple[float, float]


@dataclass(frozen=True, eq=False)
class _Ranking:
    """Images of one class by falling score. images: their indices, None when these run on from `first`. starts: where
    each step of the curve begins among them: a step has all images of one score, or a run of others between two
    melanomas. called: how many are called melanoma.
    """

    images: NDArray[np.int32] | None
    first: int
    count: int
    starts: NDArray[np.int32]
    called: int


def bootstrap(
    positive: Mask,
    scores: tuple[Scores, Scores],
    threshold: float,
    groups: NDArray[np.intp],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    workers: int = 1,
    progress: Progress = silent,
) -> dict[str, Interval]:
    """An Interval for each of FIGURES.

    scores: the reference's and the artifact's. groups: `[N]`, a number below G for each image, the same for images of
    one lesion or patient. Draws in which a figure is not defined are left out; NaN where it is in none, or where a
    score is NaN. Deterministic, whatever the number of `workers`, threads that draw.
    """
    reference, artifact = scores
    if not len(positive) or np.isnan(reference).any() or np.isnan(artifact).any():
        return {name: Interval(*[(np.nan, np.nan)] * 3) for name in FIGURES}
    # Others first, then melanomas, each by the reference's falling score: its weights then need no reordering.
    order = np.lexsort((-reference, positive))
    positive, reference, artifact = positive[order], reference[order], artifact[order]
    homes = groups[order]
    networks = [_rank(positive, own, threshold) for own in (reference, artifact)]
    count = int(groups.max()) + 1
    alone = count == len(groups) == len(np.unique(groups))
    seeds = np.random.SeedSequence(seed).spawn(resamples)

    def draw(number: int) -> NDArray[np.float64]:
        weights = _draw(np.random.default_rng(seeds[number]), count)
        drawn = weights if alone else weights[homes]
        return np.array([_figures(others, melanomas, drawn) for others, melanomas in networks])

    found = np.empty((resamples, 2, len(FIGURES)))
    with ThreadPoolExecutor(workers) as pool:
        for done, row in enumerate(pool.map(draw, range(resamples))):
            found[done] = row
            if done % 100 == 99 or done + 1 == resamples:
                progress("bootstrap", done + 1, resamples)
    return {name: _interval(found[:, :, i]) for i, name in enumerate(FIGURES)}


def _draw(rng: np.random.Generator, count: int) -> Weights:
    """How often each of `count` groups is drawn: `count` draws, or with very many independent Poisson counts, which
    they tend to (Chamandy et al., 2012)."""
    if count < MANY:
        return np.bincount(rng.integers(0, count, count), minlength=count).clip(max=255).astype(np.uint8)
    return POISSON[rng.integers(0, len(POISSON), count, dtype=np.uint16)]


def _interval(values: NDArray[np.float64]) -> Interval:
    """values: `[resamples, 2]`."""
    ends = [_ends(values[:, 0]), _ends(values[:, 1]), _ends(values[:, 1] - values[:, 0])]
    return Interval(*ends)


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def _rank(positive: Mask, scores: Scores, threshold: float) -> tuple[_Ranking, _Ranking]:
    """The others and the melanomas of one network; positive: others first."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], positive[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    score = np.cumsum(new) - 1  # which of the distinct scores, highest first
    has_melanoma = np.bincount(score, hits) > 0
    follows_run = np.concatenate([[False], ~has_melanoma[:-1]]) & ~has_melanoma
    step = (np.cumsum(~follows_run) - 1)[score]
    steps = np.arange(int(step[-1]) + 2)
    sides = []
    for side in (~hits, hits):
        images, starts = order[side], np.searchsorted(step[side], steps)
        first = int(images[0]) if len(images) else 0
        runs_on = bool((images == np.arange(first, first + len(images))).all())
        called = int((ordered[side] >= threshold).sum())
        kept = None if runs_on else images.astype(np.int32)
        sides.append(_Ranking(kept, first, len(images), starts.astype(np.int32), called))
    return sides[0], sides[1]


def _figures(others: _Ranking, melanomas: _Ranking, weights: Weights) -> list[float]:
    """The FIGURES of weighted images."""
    (fp, false), (tp, true) = _sums(others, weights), _sums(melanomas, weights)
    at = Confusion(true, false, int(fp[-1]) - false, int(tp[-1]) - true)
    return [*(figure(at) for figure in DECISIONS.values()), *_areas(fp, tp)]


def _sums(side: _Ranking, weights: Weights) -> tuple[NDArray[np.float64], int]:
    """Weights added up along the steps, from 0, and the weight that is called melanoma."""
    own = weights[side.first : side.first + side.count] if side.images is None else weights[side.images]
    along = np.zeros(side.count + 1, np.int32)
    np.cumsum(own, dtype=np.int32, out=along[1:])
    return along[side.starts].astype(np.float64), int(along[side.called])


def _areas(fp: Scores, tp: Scores) -> Sequence[float]:
    """The RANKINGS from what lies above each step of the curve."""
    if not fp[-1] or not tp[-1]:
        return [np.nan] * len(RANKINGS)
    gained = np.diff(tp)
    area = float((np.diff(fp) * (tp[1:] + tp[:-1])).sum()) / 2 / (tp[-1] * fp[-1])
    precision = tp[1:] / np.maximum(tp[1:] + fp[1:], 1)
    return [area, float((gained * precision).sum()) / tp[-1], partial_area(fp / fp[-1], tp / tp[-1], PARTIAL)]
