"""How two networks' probabilities agree, image by image, after Bland and Altman (Lancet 327, 1986, 307-310)."""

import math
from dataclasses import dataclass

import numpy as np

from melanoma_edge.document import Figure, Share, by_name
from melanoma_edge.verify.metrics import Scores

WIDTH = 1.96  # standard deviations on each side of the mean difference
MOST = 2000  # points that are kept for drawing
DIGITS = 5


@dataclass(frozen=True)
class Agreement:
    """Differences are the artifact's probability minus the reference's. bias: their mean. low, high: the limits of
    agreement, between which 95 % of them would lie were they normal. outside: share that does not. points: mean and
    difference of images, for drawing; NaN everywhere, and no points, where a probability is NaN or there is none.
    """

    bias: Figure
    low: Figure
    high: Figure
    outside: Share
    points: tuple[tuple[float, float], ...]

    __getitem__ = by_name


def bland_altman(reference: Scores, artifact: Scores, most: int = MOST) -> Agreement:
    """The Agreement of two networks' probabilities `[N]`.

    Of more than `most` images the largest differences are all kept, and of the others as many as still fit, evenly.
    """
    difference = artifact - reference
    if len(difference) < 2 or np.isnan(difference).any():
        return Agreement(math.nan, math.nan, math.nan, math.nan, ())
    bias, spread = float(difference.mean()), WIDTH * float(difference.std(ddof=1))
    low, high = bias - spread, bias + spread
    outside = float(((difference < low) | (difference > high)).mean())
    by_size = np.argsort(-np.abs(difference), kind="stable")
    largest, others = by_size[: most // 2], by_size[most // 2 :]
    kept = others[np.unique(np.linspace(0, len(others) - 1, min(len(others), most - most // 2)).astype(int))]
    points = [
        (round(float(reference[i] + artifact[i]) / 2, DIGITS), float(f"{difference[i]:.3g}"))
        for i in sorted((*largest, *kept))
    ]
    return Agreement(bias, low, high, outside, tuple(points))
