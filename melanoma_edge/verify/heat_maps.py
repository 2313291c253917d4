"""Do two networks look at the same places? Their heat maps compared, and the images whose maps are worth showing."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from melanoma_edge.document import Correlation, Count, Share, by_name
from melanoma_edge.verify.predictions import Predictions

OUTCOMES = ("true positive", "false negative", "false positive", "true negative")
FEW = 4  # images of each outcome


@dataclass(frozen=True)
class Case:
    """A test image: its row, and how the reference decides it, one of OUTCOMES."""

    row: int
    outcome: str


@dataclass(frozen=True)
class MapAgreement:
    """How a file's heat maps correlate with the float network's, over the images where neither is constant."""

    artifact: str
    images: Count
    median: Correlation
    lowest: Correlation

    __getitem__ = by_name


@dataclass(frozen=True)
class MapCase:
    """One of the surest test images of an outcome of the reference, one of OUTCOMES. p_artifact: of the drawn file."""

    image_id: str
    outcome: Annotated[str, Meta(pattern=f"^({'|'.join(OUTCOMES)})$")]
    label: str
    diagnosis: str
    p_reference: Share
    p_artifact: Share
    correlation: Correlation

    __getitem__ = by_name


@dataclass(frozen=True)
class HeatMapReport:
    """Where the files look, beside the float network. shape: rows and columns of a heat map. images: compared.

    drawn: the file whose maps the page shows beside the float network's.
    """

    shape: tuple[Count, Count]
    images: Count
    drawn: str | None
    agreement: tuple[MapAgreement, ...]
    cases: tuple[MapCase, ...]

    __getitem__ = by_name


def correlations(maps: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pearson's correlation of two heat maps an image, `[N, h, w]` each, as `[N]`; NaN where one is constant."""
    flat = (np.asarray(m, np.float64).reshape(len(m), -1) for m in (maps, others))
    a, b = (values - values.mean(axis=1, keepdims=True) for values in flat)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    within: NDArray[np.float64] = np.clip(found, -1, 1)  # rounding may go a little beyond
    return within


def cases(reference: Predictions, threshold: float, few: int = FEW) -> list[Case]:
    """The `few` images of each outcome that the reference is surest of, in the order of OUTCOMES."""
    p, truth = reference.p, reference.is_melanoma
    decided = p >= threshold
    found: list[Case] = []
    for outcome, rows in zip(OUTCOMES, _rows(truth, decided), strict=True):
        sure = rows[np.argsort(-np.abs(p[rows] - threshold), kind="stable")]
        found += [Case(int(row), outcome) for row in sure[:few] if math.isfinite(p[row])]
    return found


def _rows(truth: NDArray[np.bool_], decided: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """The rows of each of OUTCOMES."""
    for melanoma, said in ((True, True), (True, False), (False, True), (False, False)):
        yield np.flatnonzero((truth == melanoma) & (decided == said))
