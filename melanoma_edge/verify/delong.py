"""Variance of AUCs and of their differences without resampling: DeLong, DeLong and Clarke-Pearson (1988).

The placement values come from midranks, in O(N log N) (Sun and Xu, 2014). Images are taken as independent; where some
show the same lesion, the bootstrap over lesions is the one to go by.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from melanoma_edge.verify.metrics import Mask, Scores


@dataclass(frozen=True, eq=False)
class DeLong:
    """aucs `[M]` of M networks on the same images, and their covariance `[M, M]`."""

    aucs: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def interval(self, network: int, level: float = 0.95) -> tuple[float, float]:
        """Normal interval of one AUC, within [0, 1]."""
        reach = float(norm.ppf(0.5 + level / 2)) * float(np.sqrt(self.covariance[network, network]))
        return max(float(self.aucs[network]) - reach, 0.0), min(float(self.aucs[network]) + reach, 1.0)

    def difference(self, level: float = 0.95) -> tuple[float, float, float, float]:
        """The second AUC minus the first: value, ends of its normal interval, two-sided p of no difference."""
        gap = float(self.aucs[1] - self.aucs[0])
        spread = float(np.sqrt(max(self.covariance[0, 0] + self.covariance[1, 1] - 2 * self.covariance[0, 1], 0.0)))
        reach = float(norm.ppf(0.5 + level / 2)) * spread
        p = 1.0 if gap == 0 else 0.0 if spread == 0 else float(2 * norm.sf(abs(gap) / spread))
        return gap, gap - reach, gap + reach, p


def delong(positive: Mask, scores: Scores) -> DeLong:
    """scores: `[M, N]`. NaN throughout when a class has fewer than two images or a score is NaN."""
    m, n = int(positive.sum()), int((~positive).sum())
    networks = len(scores)
    if m < 2 or n < 2 or np.isnan(scores).any():
        return DeLong(np.full(networks, np.nan), np.full((networks, networks), np.nan))
    every = np.array([rankdata(row) for row in scores])
    melanomas = np.array([rankdata(row[positive]) for row in scores])
    others = np.array([rankdata(row[~positive]) for row in scores])
    above = (every[:, positive] - melanomas) / n  # share of the others that a melanoma scores above
    below = 1 - (every[:, ~positive] - others) / m
    covariance = np.atleast_2d(np.cov(above)) / m + np.atleast_2d(np.cov(below)) / n
    return DeLong(above.mean(axis=1), covariance)
