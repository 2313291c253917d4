"""How far answers move when the picture changes, and whether a file moves together with the reference.

No photograph can be taken twice: parity asks that a file follows the reference wherever blur, light or compression take
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from melanoma_edge.document import Correlation, Count, Number, Share, by_name, finite
from melanoma_edge.verify import metrics
from melanoma_edge.verify.metrics import Scores


@dataclass(frozen=True)
class Moved:
    """How far one network's probabilities went from its own on the unchanged pictures."""

    mean_abs_dp: Share
    max_abs_dp: Share
    flips: Count

    __getitem__ = by_name


@dataclass(frozen=True)
class MovedFile(Moved):
    """The same of a file, and whether its probabilities moved as the reference's did.

    correlation: Pearson's, of the two changes; None where one of them is the same for every image. mean_abs_difference:
    of the two changes. flips_apart: decisions in which the two differ on the changed pictures.
    """

    name: str
    correlation: Correlation
    mean_abs_difference: Annotated[float, Meta(ge=0, le=2)] | None
    flips_apart: Count


@dataclass(frozen=True)
class Change:
    """What was done to the photographs: such as "blur" by 0.5 "% of the side"."""

    kind: str
    strength: float
    unit: str

    __getitem__ = by_name


@dataclass(frozen=True)
class ChangeRow(Change):
    """What it did to the reference and to every file."""

    reference: Moved
    artifacts: tuple[MovedFile, ...]


@dataclass(frozen=True)
class Unchanged:
    """Decisions in which a file and the reference differ on the same images, unchanged."""

    name: str
    flips_apart: Count

    __getitem__ = by_name


@dataclass(frozen=True)
class RobustnessReport:
    """The comparison on changed photographs. reference: what computed the reference's probabilities here."""

    images: Number
    melanomas: Count
    reference: str
    unchanged: tuple[Unchanged, ...]
    changes: tuple[ChangeRow, ...]

    __getitem__ = by_name


def moved(before: Scores, after: Scores, threshold: float) -> Moved:
    """Probabilities of the unchanged and the changed pictures, `[N]` each, N at least 1."""
    distance = np.abs(after - before)
    flips = int(metrics.flips(before, after, threshold).sum())
    return Moved(float(distance.mean()), float(distance.max()), flips)


def moved_file(
    name: str, reference: tuple[Scores, Scores], artifact: tuple[Scores, Scores], threshold: float
) -> MovedFile:
    """Probabilities before and after, `[N]` each, of both networks."""
    own = moved(*artifact, threshold)
    change, own_change = reference[1] - reference[0], artifact[1] - artifact[0]
    return MovedFile(
        own.mean_abs_dp,
        own.max_abs_dp,
        own.flips,
        name,
        _correlation(change, own_change),
        float(np.abs(own_change - change).mean()),
        int(metrics.flips(reference[1], artifact[1], threshold).sum()),
    )


def robustness(
    changes: Sequence[Change],
    told: str,
    reference: NDArray[np.float64],
    artifacts: Mapping[str, NDArray[np.float64]],
    positive: metrics.Mask,
    threshold: float,
) -> RobustnessReport:
    """What is not defined is None. told: what computed the reference's probabilities.

    reference, artifacts: probabilities of melanoma, float64 `[1 + len(changes), N]`, the first row of the unchanged
    pictures. positive: which images are melanomas `[N]`.
    """
    rows = tuple(
        ChangeRow(
            change.kind,
            change.strength,
            change.unit,
            moved(reference[0], reference[i], threshold),
            tuple(
                moved_file(name, (reference[0], reference[i]), (p[0], p[i]), threshold) for name, p in artifacts.items()
            ),
        )
        for i, change in enumerate(changes, start=1)
    )
    apart = {name: int(metrics.flips(reference[0], p[0], threshold).sum()) for name, p in artifacts.items()}
    unchanged = tuple(Unchanged(name, flips) for name, flips in apart.items())
    return finite(RobustnessReport(len(positive), int(positive.sum()), told, unchanged, rows))


def _correlation(a: Scores, b: Scores) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else float("nan")
