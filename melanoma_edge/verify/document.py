"""What the proof leaves behind: one JSON document that reports are made from. Every figure in it was measured here."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from melanoma_edge.verify import metrics
from melanoma_edge.verify.answering import Answering, Uncertainty
from melanoma_edge.verify.bland_altman import bland_altman
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.metrics import Confusion
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.parity import Flip, Parity
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.rejection import Rejection
from melanoma_edge.verify.subgroups import Subgroup

COUNTS = ("tp", "fp", "tn", "fn")


@dataclass(frozen=True)
class Verified:
    """One artifact that was run on the evaluation split. `bytes` is the size of its file; `certainty`, `subgroups`,
    `answering` and `uncertainty` are what the functions of those names give."""

    name: str
    format: str
    precision: str
    runtime: str
    runtime_version: str
    bytes: int
    predictions: Predictions
    parity: Parity
    certainty: Mapping[str, Any] = field(default_factory=dict)
    subgroups: Sequence[Subgroup] = ()
    answering: Answering | None = None
    uncertainty: Uncertainty | None = None


def document(
    operating_point: OperatingPoint,
    reference: Predictions,
    artifacts: Sequence[Verified],
    gates: Sequence[Gate],
    diagnoses: Mapping[str, str],
    rejection: Rejection | None = None,
    answers: Answering | None = None,
) -> dict[str, Any]:
    """The verify stage's result, ready for JSON: what is undefined is None.

    diagnoses: image id to the dataset's own class name, for the ledger of flips; ids that are missing have None.
    rejection: of the policy that ships. answers: the reference's, from `answering`.
    """
    flips = [_flip(a.name, flip, diagnoses) for a in artifacts for flip in a.parity.ledger]
    result: dict[str, Any] = finite(
        {
            "operating_point": asdict(operating_point),
            "rejection": _fields(rejection),
            "reference": {**_reference(reference, operating_point), "answering": _fields(answers)},
            "artifacts": [_artifact(a, reference) for a in artifacts],
            "gates": [asdict(gate) for gate in gates],
            "flips": flips,
            "agreement": [_agreement(a, b, operating_point) for a, b in _pairs(artifacts)],
        }
    )
    return result


def finite(value: Any) -> Any:
    """The same nested dicts, lists and numbers, numpy's too, with NaN and infinity as None: JSON knows neither."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _reference(predictions: Predictions, operating_point: OperatingPoint) -> dict[str, Any]:
    positive, p = predictions.is_melanoma, predictions.p
    at = metrics.confusion(positive, p, operating_point.threshold)
    return {
        "n": len(predictions),
        "melanomas": int(positive.sum()),
        "auc": metrics.auc(positive, p),
        "average_precision": metrics.average_precision(positive, p),
        "partial_auc": metrics.partial_auc(positive, p),
        "ece": metrics.ece(positive, p),
        "brier": metrics.brier(positive, p),
        **_decisions(at),
        "roc": _roc(predictions),
    }


def _artifact(verified: Verified, reference: Predictions) -> dict[str, Any]:
    parity = verified.parity
    facts = ("name", "format", "precision", "runtime", "runtime_version", "bytes")
    compared = {name: value for name, value in vars(parity).items() if name not in ("confusion", "ledger")}
    positive, p = verified.predictions.is_melanoma, verified.predictions.p
    return {
        **{name: getattr(verified, name) for name in facts},
        **compared,
        "average_precision": metrics.average_precision(positive, p),
        "partial_auc": metrics.partial_auc(positive, p),
        **_decisions(parity.confusion),
        "roc": _roc(verified.predictions),
        "bland_altman": asdict(bland_altman(reference.p, p)),
        "certainty": verified.certainty,
        "subgroups": [asdict(group) for group in verified.subgroups],
        "answering": _fields(verified.answering),
        "uncertainty": _fields(verified.uncertainty),
    }


def _fields(one: Answering | Uncertainty | Rejection | None) -> dict[str, Any] | None:
    return None if one is None else asdict(one)


def _pairs(artifacts: Sequence[Verified]) -> list[tuple[Verified, Verified]]:
    """The files of one precision in different formats: what one graph became for two runtimes."""
    pairs = itertools.combinations(artifacts, 2)
    return [(a, b) for a, b in pairs if a.precision == b.precision and a.format != b.format]


def _agreement(one: Verified, other: Verified, point: OperatingPoint) -> dict[str, Any]:
    p, q = one.predictions.p, other.predictions.p
    return {
        "files": [one.name, other.name],
        "precision": one.precision,
        "flips": int(metrics.flips(p, q, point.threshold).sum()),
        "max_abs_dp": float(np.abs(p - q).max()) if len(p) else float("nan"),
    }


def _decisions(at: Confusion) -> dict[str, Any]:
    """What follows from the decisions at the operating point."""
    ratios = ("sensitivity", "specificity", "ppv", "npv", "f1", "f2", "balanced_accuracy")
    return {
        **{name: getattr(at, name) for name in ratios},
        "undefined": at.undefined,
        "confusion": {name: getattr(at, name) for name in COUNTS},
    }


def _roc(predictions: Predictions) -> dict[str, list[float]]:
    """The thinned curve, rounded to 6 digits: it is for drawing."""
    curve = metrics.thin(metrics.roc_curve(predictions.is_melanoma, predictions.p))
    return {name: [round(v, 6) for v in getattr(curve, name).tolist()] for name in ("fpr", "tpr")}


def _flip(artifact: str, flip: Flip, diagnoses: Mapping[str, str]) -> dict[str, Any]:
    entry = asdict(flip)
    return {"artifact": artifact, "diagnosis": diagnoses.get(flip.image_id), **entry}
