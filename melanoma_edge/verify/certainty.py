"""How sure the comparison of an artifact with its reference is: intervals, tests, and a verdict on its sensitivity."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.document import Count, Estimate, Share, by_name
from melanoma_edge.progress import Progress, silent
from melanoma_edge.verify import metrics
from melanoma_edge.verify.bootstrap import DECISIONS, FIGURES, LEVEL, RESAMPLES, bootstrap
from melanoma_edge.verify.delong import delong
from melanoma_edge.verify.metrics import Mask, Scores
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.paired import NonInferiority, mcnemar, non_inferiority
from melanoma_edge.verify.predictions import Predictions

MARGIN = 0.01  # of sensitivity


@dataclass(frozen=True)
class Compared:
    """A figure of both networks, and the artifact's minus the reference's; each with its interval. p: of a difference
    of none, where a test gives one.
    """

    reference: Estimate
    artifact: Estimate
    difference: Estimate
    p: Share = None

    __getitem__ = by_name


@dataclass(frozen=True)
class McNemar:
    """Images decided rightly by one network only, and the probability of so uneven counts."""

    only_reference: Count
    only_artifact: Count
    p: Share

    __getitem__ = by_name


@dataclass(frozen=True)
class Certainty:
    """figures: by name, with 95 % intervals by drawing `groups` groups again, `resamples` times. auc_delong: the same
    for the AUC without drawing. sensitivity: the verdict on non-inferiority, from the wider of Tango's interval and the
    draws'.
    """

    level: Share
    resamples: Count
    groups: Count
    figures: Mapping[str, Compared]
    auc_delong: Compared
    mcnemar: McNemar
    sensitivity: NonInferiority

    __getitem__ = by_name


def certainty(
    reference: Predictions,
    artifact: Predictions,
    point: OperatingPoint,
    groups: Mapping[str, str],
    *,
    margin: float = MARGIN,
    workers: int = 1,
    progress: Progress = silent,
) -> Certainty:
    """NaN allowed. groups: image id to the lesion or patient it shows; an image without one is its own."""
    positive, before, after = reference.is_melanoma, reference.p, artifact.p
    homes = _numbered(reference.ids, groups)
    intervals = bootstrap(positive, (before, after), point.threshold, homes, workers=workers, progress=progress)
    old, new = (figures(positive, p, point.threshold) for p in (before, after))
    areas = delong(positive, np.array([before, after]))
    _, low, high, p_value = areas.difference()
    every, melanomas = _discordant(positive, before, after, point.threshold)
    resampled = intervals["sensitivity"].difference
    verdict = non_inferiority(*melanomas, int(positive.sum()), margin, resampled)
    figures_of_both = {
        name: Compared(
            (old[name], *intervals[name].reference),
            (new[name], *intervals[name].artifact),
            (new[name] - old[name], *intervals[name].difference),
        )
        for name in FIGURES
    }
    by_delong = Compared(
        (float(areas.aucs[0]), *areas.interval(0)),
        (float(areas.aucs[1]), *areas.interval(1)),
        (new["auc"] - old["auc"], low, high),
        p_value,
    )
    drawn_from = int(homes.max()) + 1 if len(homes) else 0
    one_sided = McNemar(every[0], every[1], mcnemar(*every))
    return Certainty(LEVEL, RESAMPLES, drawn_from, figures_of_both, by_delong, one_sided, verdict)


def figures(positive: Mask, p: Scores, threshold: float) -> dict[str, float]:
    """Each of bootstrap.FIGURES of one network."""
    at = metrics.confusion(positive, p, threshold)
    return {
        **{name: figure(at) for name, figure in DECISIONS.items()},
        "auc": metrics.auc(positive, p),
        "average_precision": metrics.average_precision(positive, p),
        "partial_auc": metrics.partial_auc(positive, p),
    }


def _discordant(
    positive: Mask, before: Scores, after: Scores, threshold: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Images that only the first network decides rightly, and only the second: of all, and of the melanomas."""
    right, now = ((p >= threshold) == positive for p in (before, after))
    lost, gained = right & ~now, ~right & now
    return (int(lost.sum()), int(gained.sum())), (int((lost & positive).sum()), int((gained & positive).sum()))


def _numbered(ids: tuple[str, ...], groups: Mapping[str, str]) -> NDArray[np.intp]:
    """A number for each image's group; images without one get numbers of their own."""
    names = [("group", groups[i]) if i in groups else ("image", i) for i in ids]
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], np.intp)
