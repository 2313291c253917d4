"""A network's own temperature and thresholds, fitted on its own validation predictions: quantisation moves them."""

from dataclasses import asdict
from typing import Any

import numpy as np

from melanoma_edge.verify import metrics, operating_point, rejection, temperature_scaling
from melanoma_edge.verify.predictions import Predictions


def refit(
    network: Predictions, rule: str, min_kept: float, reference: tuple[Predictions, float] | None = None
) -> dict[str, Any]:
    """What a network's validation predictions decide, and what that does on its test images. NaN allowed.

    network: both splits. rule: of the operating point, which is applied to this network's own probabilities.
    reference: the reference's test predictions and threshold, for the decisions that differ from it.
    "temperature": what the logits are still to be divided by, None where there is no such number. "decisions": at the
    own threshold. "rejection": threshold in nats, the accuracy-rejection curve, and figures "before" and "after", all
    at the own threshold. Empty when a validation probability is NaN: nothing can be chosen then.
    Raises InputError as `operating_point.choose` does.
    """
    validation, test = network.only("val"), network.only("test")
    refused = rejection.choose(validation.is_melanoma, validation.p, min_kept)
    if refused is None:
        return {}
    point = operating_point.choose(rule, validation)
    positive, p = test.is_melanoma, test.p
    answered = rejection.entropy(p) <= refused.threshold
    at = metrics.confusion(positive, p, point.threshold)
    return {
        "temperature": temperature_scaling.temperature(validation.logits, validation.labels),
        "adaptive_ece": metrics.adaptive_ece(positive, p),
        "reliability": [asdict(one) for one in temperature_scaling.reliability(positive, p)],
        "operating_point": asdict(point),
        "decisions": {
            "sensitivity": at.sensitivity,
            "specificity": at.specificity,
            "flips": 0 if reference is None else _flips(*reference, test, point.threshold),
        },
        "rejection": {
            **asdict(refused),
            "min_kept": min_kept,
            "curve": rejection.curve(positive, p, point.threshold),
            "before": rejection.figures(positive, p, point.threshold),
            "after": rejection.figures(positive[answered], p[answered], point.threshold),
        },
    }


def _flips(reference: Predictions, threshold: float, network: Predictions, own: float) -> int:
    """Images decided otherwise than by the reference, each network at its own threshold; a NaN counts."""
    p, q = reference.p, network.p
    return int((np.isnan(p) | np.isnan(q) | ((p >= threshold) != (q >= own))).sum())
