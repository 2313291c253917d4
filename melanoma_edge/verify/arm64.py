"""One file's answers on two instruction sets, compared: to the bit or to a tolerance, and decisions always."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from melanoma_edge.document import Count, Distance, Figure, Number, Sha256, Share, by_name
from melanoma_edge.verify.gates import INEXACT, INEXACT_LOGIT, Gate, gate
from melanoma_edge.verify.metrics import flips
from melanoma_edge.verify.predictions import softmax

TOLERANCE = 1e-4  # of a float file's logits and of every heat map: float32 sums depend on their order
BITS = "the same bits"


@dataclass(frozen=True)
class Answers:
    """logits: float32 `[N, K]`. maps: float32 `[N, h * w]`, None for a file without heat maps."""

    logits: NDArray[np.float32]
    maps: NDArray[np.float32] | None = None


class Worst(msgspec.Struct, frozen=True, rename={"label": "class"}):
    """The logit that differs most: whose, of which class (a word that Python keeps for itself), and both values."""

    image_id: str
    label: str
    x86: Figure
    arm64: Figure


@dataclass(frozen=True)
class CoreFigures:
    """One file on one core. differing_images: whose logits are not the same bits. max_abs_dheat: None without heat
    maps. worst: None where no logit differs.
    """

    images: Number
    differing_images: Count
    max_abs_dlogit: Distance
    max_abs_dp: Share
    flips: Count
    max_abs_dheat: Distance
    worst: Worst | None

    __getitem__ = by_name


@dataclass(frozen=True)
class CoreRow(CoreFigures):
    """The same with what ran where. exact: whether its logits must be the same bits; else `tolerance` is theirs."""

    artifact: str
    sha256: Sha256
    cpu: str
    x86_version: str
    arm64_version: str
    exact: bool
    holds: bool
    tolerance: Distance = None


@dataclass(frozen=True)
class Arm64Report:
    """Every file on emulated ARM64 cores, beside the answers of `machine`. tolerance: of a float file's logits and of
    every heat map.
    """

    images: Number
    melanomas: Count
    test_images: Number
    threshold: float
    tolerance: Distance
    emulator: str
    cpus: tuple[str, ...]
    machine: str
    packages: Mapping[str, str]
    rows: tuple[CoreRow, ...]

    __getitem__ = by_name


def compare(
    x86: Answers, arm: Answers, *, ids: Sequence[str], classes: Sequence[str], melanoma: int, threshold: float
) -> CoreFigures:
    """Figures of one file on one core; what is no number on one side is NaN."""
    same = (x86.logits.view(np.uint32) == arm.logits.view(np.uint32)).all(axis=1)
    apart = _apart(x86.logits, arm.logits)
    before, after = (softmax(one.logits)[:, melanoma] for one in (x86, arm))
    maps = None if x86.maps is None or arm.maps is None else float(_apart(x86.maps, arm.maps).max())
    return CoreFigures(
        len(ids),
        int((~same).sum()),
        float(apart.max()),
        float(_apart(before, after).max()),
        int(flips(before, after, threshold).sum()),
        maps,
        None if same.all() else _worst(x86.logits, arm.logits, ids, classes),
    )


def tolerance(precision: str, exact: bool) -> float:
    """How far a logit may be off; 0: it must be the same bits. exact: whether every operator of the INT8 graph is."""
    return TOLERANCE if precision != "int8" else 0.0 if exact else INEXACT_LOGIT


def judge(artifact: str, allowed: float, rows: Sequence[CoreFigures]) -> list[Gate]:
    """The gates of one file, on its worst core. allowed: its `tolerance`. No row fails them."""

    def worst(values: Sequence[Figure]) -> float | None:
        return float(np.max(np.array(values, float))) if values else None  # NaN stays NaN, and None becomes one

    reason = INEXACT if allowed > TOLERANCE else None
    logits = (
        gate("max_arm64_dlogit", artifact, allowed, worst([row.max_abs_dlogit for row in rows]), reason)
        if allowed
        else gate("max_arm64_differing_images", artifact, 0, worst([row.differing_images for row in rows]))
    )
    found = [logits, gate("max_arm64_flips", artifact, 0, worst([row.flips for row in rows]))]
    if rows and rows[0].max_abs_dheat is not None:
        found.append(gate("max_arm64_dheat", artifact, TOLERANCE, worst([row.max_abs_dheat for row in rows])))
    return found


def complaints(document: Arm64Report) -> list[str]:
    """A line for each core on which a file does not hold what is asked of it: image, both values and tolerance."""
    return [
        f"PARITY: {row.artifact} on {row.cpu}: image {row.worst.image_id!r}, logit of {row.worst.label}: "
        f"{_said(row.worst.x86)} on x86, {_said(row.worst.arm64)} on ARM64; accepted: "
        + (BITS if row.exact else f"within {row.tolerance:g}")
        + f" ({row.differing_images} of {row.images} images differ, {row.flips} decisions)"
        for row in document.rows
        if row.worst and not row.holds
    ]


def holds(row: CoreFigures, allowed: float) -> bool:
    """Whether one core's figures pass the gates of `judge`."""
    return all(one.passed for one in judge("", allowed, [row]))


def _said(value: float | None) -> str:
    return "no number" if value is None else f"{value:.9g}"


def _apart(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """|one - other| in float64; 0 where the bits are the same, NaN where only one side is a number."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(one.astype(np.float64) - other.astype(np.float64))
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    return np.where(alike, 0.0, distance)


def _worst(x86: NDArray[np.float32], arm: NDArray[np.float32], ids: Sequence[str], classes: Sequence[str]) -> Worst:
    """The logit that differs most; one that is no number on one side comes first."""
    apart = _apart(x86, arm)
    i, k = divmod(int(np.where(np.isnan(apart), np.inf, apart).argmax()), apart.shape[1])
    return Worst(ids[i], classes[k], float(x86[i, k]), float(arm[i, k]))
