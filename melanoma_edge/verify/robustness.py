"""How far answers move when the picture changes, and whether a file moves together with the reference.

No photograph can be taken twice: parity asks that a file follows the reference wherever blur, light or compression take
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.verify import metrics
from melanoma_edge.verify.document import finite
from melanoma_edge.verify.metrics import Scores


@dataclass(frozen=True)
class Moved:
    """How far one network's probabilities went from its own on the unchanged pictures."""

    mean_abs_dp: float
    max_abs_dp: float
    flips: int


@dataclass(frozen=True)
class Together:
    """Whether two networks' probabilities moved alike.

    correlation: Pearson's, of the two changes; NaN where one of them is the same for every image. mean_abs_difference:
    of the two changes. flips_apart: decisions in which the two differ on the changed pictures.
    """

    correlation: float
    mean_abs_difference: float
    flips_apart: int


def moved(before: Scores, after: Scores, threshold: float) -> Moved:
    """Probabilities of the unchanged and the changed pictures, `[N]` each, N at least 1."""
    distance = np.abs(after - before)
    flips = int(metrics.flips(before, after, threshold).sum())
    return Moved(float(distance.mean()), float(distance.max()), flips)


def together(reference: tuple[Scores, Scores], artifact: tuple[Scores, Scores], threshold: float) -> Together:
    """Probabilities before and after, `[N]` each, of both networks."""
    change, own = reference[1] - reference[0], artifact[1] - artifact[0]
    flips = int(metrics.flips(reference[1], artifact[1], threshold).sum())
    return Together(_correlation(change, own), float(np.abs(own - change).mean()), flips)


def robustness(
    changes: Sequence[Mapping[str, Any]],
    reference: NDArray[np.float64],
    artifacts: Mapping[str, NDArray[np.float64]],
    positive: metrics.Mask,
    threshold: float,
) -> dict[str, Any]:
    """The robustness part of the verify document, ready for JSON.

    changes: kind, strength and unit of each change. reference, artifacts: probabilities of melanoma, float64
    `[1 + len(changes), N]`, the first row of the unchanged pictures. positive: which images are melanomas `[N]`.
    """
    rows = [
        {
            **change,
            "reference": asdict(moved(reference[0], reference[i], threshold)),
            "artifacts": [
                {
                    "name": name,
                    **asdict(moved(p[0], p[i], threshold)),
                    **asdict(together((reference[0], reference[i]), (p[0], p[i]), threshold)),
                }
                for name, p in artifacts.items()
            ],
        }
        for i, change in enumerate(changes, start=1)
    ]
    apart = {name: int(metrics.flips(reference[0], p[0], threshold).sum()) for name, p in artifacts.items()}
    unchanged = [{"name": name, "flips_apart": flips} for name, flips in apart.items()]
    told = {"images": len(positive), "melanomas": int(positive.sum()), "unchanged": unchanged, "changes": rows}
    return dict(finite(told))


def _correlation(a: Scores, b: Scores) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else float("nan")
