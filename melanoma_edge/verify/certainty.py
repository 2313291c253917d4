"""How sure the comparison of an artifact with its reference is: intervals, tests, and a verdict on its sensitivity."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.progress import Progress, silent
from melanoma_edge.verify import metrics
from melanoma_edge.verify.bootstrap import DECISIONS, FIGURES, LEVEL, RESAMPLES, bootstrap
from melanoma_edge.verify.delong import delong
from melanoma_edge.verify.metrics import Mask, Scores
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.paired import mcnemar, non_inferiority
from melanoma_edge.verify.predictions import Predictions

MARGIN = 0.01  # of sensitivity


def certainty(
    reference: Predictions,
    artifact: Predictions,
    point: OperatingPoint,
    groups: Mapping[str, str],
    *,
    margin: float = MARGIN,
    workers: int = 1,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Ready for JSON, NaN allowed. groups: image id to the lesion or patient it shows; an image without one is its own.

    "figures": of each network and the artifact's minus the reference's, with 95 % intervals by drawing groups again.
    "auc_delong": the same for the AUC without drawing. "mcnemar": images decided rightly by one network only.
    "sensitivity": the verdict on non-inferiority, from the wider of Tango's interval and the bootstrap's.
    """
    positive, before, after = reference.is_melanoma, reference.p, artifact.p
    homes = _numbered(reference.ids, groups)
    intervals = bootstrap(positive, (before, after), point.threshold, homes, workers=workers, progress=progress)
    old, new = (figures(positive, p, point.threshold) for p in (before, after))
    areas = delong(positive, np.array([before, after]))
    _, low, high, p_value = areas.difference()
    every, melanomas = _discordant(positive, before, after, point.threshold)
    resampled = intervals["sensitivity"].difference
    verdict = non_inferiority(*melanomas, int(positive.sum()), margin, resampled)
    return {
        "level": LEVEL,
        "resamples": RESAMPLES,
        "groups": int(homes.max()) + 1 if len(homes) else 0,
        "figures": {
            name: {
                "reference": [old[name], *intervals[name].reference],
                "artifact": [new[name], *intervals[name].artifact],
                "difference": [new[name] - old[name], *intervals[name].difference],
            }
            for name in FIGURES
        },
        "auc_delong": {
            "reference": [float(areas.aucs[0]), *areas.interval(0)],
            "artifact": [float(areas.aucs[1]), *areas.interval(1)],
            "difference": [new["auc"] - old["auc"], low, high],
            "p": p_value,
        },
        "mcnemar": {"only_reference": every[0], "only_artifact": every[1], "p": mcnemar(*every)},
        "sensitivity": asdict(verdict),
    }


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
