"""Decisions that change around an operating point, not only at it: a steadier estimate than one threshold's flips."""

from dataclasses import dataclass

import numpy as np

from melanoma_edge.verify import metrics
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.predictions import Predictions

SPAN = 0.1  # share of the images, on either side of the operating point, that give the thresholds
THRESHOLDS = 200  # taken at most


@dataclass(frozen=True)
class Nearby:
    """Means over thresholds around an operating point; drops are the reference's value minus the artifact's."""

    flip_rate: float
    sensitivity_drop: float


def nearby(reference: Predictions, artifact: Predictions, point: OperatingPoint) -> Nearby:
    """Compare decisions at thresholds between the reference's scores around the operating point.

    An operating point that was chosen on these images stands between two of their scores, so its own flips depend on
    the few images that happen to be beside it. Both predictions are of the same images, in order; NaN when a
    probability is, or where there is no melanoma.
    """
    before, after, positive = reference.p, artifact.p, reference.is_melanoma
    if not len(before) or np.isnan(before).any() or np.isnan(after).any():
        return Nearby(float("nan"), float("nan"))
    scores = np.unique(before)
    between = (scores[1:] + scores[:-1]) / 2 if len(scores) > 1 else scores
    at, width = int(np.searchsorted(between, point.threshold)), max(1, round(SPAN * len(before)))
    near = between[max(0, min(at, len(between) - 1) - width) : at + width]
    near = near[np.unique(np.linspace(0, len(near) - 1, THRESHOLDS).astype(int))]
    flips = [metrics.flips(before, after, float(t)).mean() for t in near]
    drops = [_sensitivity(positive, before, t) - _sensitivity(positive, after, t) for t in near]
    return Nearby(float(np.mean(flips)), float(np.mean(drops)))


def _sensitivity(positive: metrics.Mask, scores: metrics.Scores, threshold: float) -> float:
    return metrics.confusion(positive, scores, float(threshold)).sensitivity
