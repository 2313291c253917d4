"""Does a shipped file decide as the reference does? Both networks' predictions on the same images, compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.errors import EdgeError
from melanoma_edge.verify import metrics
from melanoma_edge.verify.metrics import Confusion
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.predictions import Predictions

MISSED, ADDED, UNDEFINED = "melanoma->other", "other->melanoma", "undefined"
DIRECTIONS = (MISSED, ADDED, UNDEFINED)  # the order of the ledger: what a patient would be hurt by stands first


@dataclass(frozen=True)
class Flip:
    """One image on which the two networks decide differently. `direction` is one of DIRECTIONS."""

    image_id: str
    label: str
    p_reference: float
    p_artifact: float
    direction: str


@dataclass(frozen=True)
class Parity:
    """An artifact against its reference; deltas are artifact minus reference, probabilities are of melanoma.

    A NaN probability on either side makes every rate and distance NaN, so that no gate passes on the rest.
    """

    n: int
    auc: float
    auc_delta: float
    sensitivity: float
    sensitivity_delta: float
    specificity: float
    specificity_delta: float
    flips: int
    flip_rate: float
    max_abs_dp: float
    mean_abs_dp: float
    top1_agreement: float  # share of images on which the highest of the K logits is the same
    ece: float
    brier: float
    confusion: Confusion
    ledger: tuple[Flip, ...]  # missed melanomas first, then the largest changes


def compare(reference: Predictions, artifact: Predictions, operating_point: OperatingPoint) -> Parity:
    """Judge two networks on the same images; with more than two classes the decision is melanoma against the rest.

    Raises EdgeError, naming the first difference, when images, labels or classes are not the same in the same order.
    """
    _require_same_images(reference, artifact)
    threshold, positive = operating_point.threshold, reference.is_melanoma
    before, after = reference.p, artifact.p
    changed = metrics.flips(before, after, threshold)
    distance = np.abs(after - before)
    area = metrics.auc(positive, after)
    old, new = (metrics.confusion(positive, p, threshold) for p in (before, after))
    defined = bool(len(distance)) and not np.isnan(distance).any()
    same_top = reference.logits.argmax(axis=1) == artifact.logits.argmax(axis=1)
    return Parity(
        n=len(reference),
        auc=area,
        auc_delta=area - metrics.auc(positive, before),
        sensitivity=new.sensitivity,
        sensitivity_delta=new.sensitivity - old.sensitivity,
        specificity=new.specificity,
        specificity_delta=new.specificity - old.specificity,
        flips=int(changed.sum()),
        flip_rate=float(changed.mean()) if defined else float("nan"),
        max_abs_dp=float(distance.max()) if defined else float("nan"),
        mean_abs_dp=float(distance.mean()) if defined else float("nan"),
        top1_agreement=float(same_top.mean()) if defined else float("nan"),
        ece=metrics.ece(positive, after),
        brier=metrics.brier(positive, after),
        confusion=new,
        ledger=_ledger(reference, artifact, np.flatnonzero(changed)),
    )


def _ledger(reference: Predictions, artifact: Predictions, changed: NDArray[np.intp]) -> tuple[Flip, ...]:
    """The changed decisions: by direction, melanomas first within it, then by how far the probability moved."""
    before, after = reference.p, artifact.p
    entries = []
    for i in changed:
        p, q = float(before[i]), float(after[i])
        direction = UNDEFINED if np.isnan(p) or np.isnan(q) else MISSED if p > q else ADDED
        entries.append(Flip(reference.ids[i], reference.classes[reference.labels[i]], p, q, direction))
    melanoma = reference.classes[reference.melanoma]
    return tuple(sorted(entries, key=lambda f: _severity(f, melanoma)))


def _severity(flip: Flip, melanoma: str) -> tuple[int, bool, float, str]:
    distance = abs(flip.p_reference - flip.p_artifact)
    moved = 0.0 if np.isnan(distance) else distance
    return DIRECTIONS.index(flip.direction), flip.label != melanoma, -moved, flip.image_id


def _require_same_images(reference: Predictions, artifact: Predictions) -> None:
    if (reference.classes, reference.melanoma) != (artifact.classes, artifact.melanoma):
        raise EdgeError(
            f"the reference answers {', '.join(reference.classes)}, the artifact {', '.join(artifact.classes)}: "
            "they can only be compared on the same classes in the same order"
        )
    rows = enumerate(zip(reference.ids, reference.labels, artifact.ids, artifact.labels, strict=False))
    for i, (a, label_a, b, label_b) in rows:
        if (a, label_a) != (b, label_b):
            raise EdgeError(
                f"image {i} is {a!r} labelled {reference.classes[label_a]} in the reference, "
                f"but {b!r} labelled {reference.classes[label_b]} in the artifact's predictions"
            )
    if len(reference) != len(artifact):
        longer, name = (reference, "the reference") if len(reference) > len(artifact) else (artifact, "the artifact")
        first = longer.ids[min(len(reference), len(artifact))]
        raise EdgeError(
            f"{len(reference)} reference images, {len(artifact)} by the artifact: {first!r} is only in {name}"
        )
