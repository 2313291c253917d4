"""Two networks' decisions on the same images: whether they differ, and whether the second is as sensitive as the first.

`lost` and `gained` count the discordant images: right with the first network only, and with the second only.
"""

import math
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from melanoma_edge.document import Count, Figure, Number, Share, by_name

NOT_INFERIOR, INFERIOR, UNKNOWN = "not inferior", "inferior", "cannot tell"
POWER = 0.8


@dataclass(frozen=True)
class NonInferiority:
    """verdict: one of the three above. low, high: 95 % interval of the difference. needed: images with the condition
    with which an artifact that loses and gains alike would be found not inferior at 80 % power; None unless "cannot
    tell".
    """

    verdict: Annotated[str, Meta(pattern="^(not inferior|inferior|cannot tell)$")]
    margin: Share
    difference: Figure
    low: Figure
    high: Figure
    cases: Count
    needed: Number | None

    __getitem__ = by_name


def mcnemar(lost: int, gained: int) -> float:
    """Two-sided exact p of equal chances to lose and to gain (McNemar, 1947; binomial). 1 without discordant images."""
    return float(binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0


def tango(lost: int, gained: int, cases: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of the difference of two paired proportions, second minus first (Tango, 1998, section 3).

    It does not shrink to nothing when no image is discordant. cases: images `N` that the proportions are of, NaN for 0.
    """
    if not cases:
        return math.nan, math.nan
    z = float(norm.ppf(0.5 + level / 2))
    middle, near = (gained - lost) / cases, 1 - 1e-12

    def beyond(delta: float) -> float:
        return _score(lost, gained, cases, delta) ** 2 - z * z

    low = -1.0 if middle <= -near or beyond(-near) < 0 else float(brentq(beyond, -near, middle, xtol=1e-12))
    high = 1.0 if middle >= near or beyond(near) < 0 else float(brentq(beyond, middle, near, xtol=1e-12))
    return low, high


def non_inferiority(
    lost: int, gained: int, cases: int, margin: float, resampled: tuple[float, float] | None = None
) -> NonInferiority:
    """Whether the second network's proportion is less than `margin` below the first's, with 97.5 % confidence.

    resampled: an interval that knows which images belong together; the wider end on either side counts.
    """
    low, high = tango(lost, gained, cases)
    if resampled is not None and not math.isnan(resampled[0]):
        low, high = min(low, resampled[0]), max(high, resampled[1])
    verdict = NOT_INFERIOR if low > -margin else INFERIOR if high < -margin else UNKNOWN
    gap = (gained - lost) / cases if cases else math.nan
    needed = cases_needed(lost, gained, cases, margin) if verdict == UNKNOWN else None
    return NonInferiority(verdict, margin, gap, low, high, cases, needed)


def cases_needed(lost: int, gained: int, cases: int, margin: float) -> int | None:
    """Cases for a verdict of "not inferior" at POWER when losses and gains are as frequent as here but balanced (Liu et
    al., 2002, equation 8, for no difference), and never fewer than without any discordant image."""
    if margin <= 0 or not cases:
        return None
    z, beta = float(norm.ppf(0.975)), float(norm.ppf(POWER))
    discordant = (lost + gained) / cases
    return math.ceil(max((z + beta) ** 2 * discordant / margin**2, z * z * (1 - margin) / margin))


def _score(lost: int, gained: int, cases: int, delta: float) -> float:
    """Tango's statistic for a true difference of `delta`: 0 at the estimate."""
    change = gained - lost - cases * delta
    # q: the restricted maximum likelihood estimate of the probability to lose
    a, b, c = 2.0 * cases, -gained - lost + (2 * cases - gained + lost) * delta, -lost * delta * (1 - delta)
    q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = cases * (2 * q + delta * (1 - delta))
    return change / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, change) if change else 0.0
