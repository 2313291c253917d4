"""What a network answers under the policy that ships, and whether it says "uncertain" where the reference does.

Every file ships with the reference's thresholds. Thresholds fitted again on a file's own predictions keep fewer of the
reference's decisions: each rests on one score beside it, and that score's noise is added to the file's
(docs/results/core.md, "Which threshold ships").
"""

from dataclasses import dataclass

import numpy as np

from melanoma_edge.document import Count, Figure, Share, by_name
from melanoma_edge.verify import metrics, rejection, temperature_scaling
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.rejection import Curve, Figures
from melanoma_edge.verify.temperature_scaling import Bin


@dataclass(frozen=True)
class Thresholds:
    """decision: melanoma where p >= it. uncertain: where the entropy of p is above it, in nats."""

    decision: float
    uncertain: float


@dataclass(frozen=True)
class Answering:
    """A network's test images under the thresholds that ship.

    own_temperature: what would fit its own validation logits best, None where nothing does; for information, no app
    applies it. all, answered: figures of every image, and of those that are not refused as uncertain.
    """

    own_temperature: Figure
    adaptive_ece: Share
    reliability: tuple[Bin, ...]
    curve: Curve
    all: Figures
    answered: Figures

    __getitem__ = by_name


@dataclass(frozen=True)
class Uncertainty:
    """Images that one network answers and the other calls uncertain; flips_among_both: decisions that differ among
    those that both answer. A probability that is no number is uncertain.
    """

    became_uncertain: Count
    became_answered: Count
    answered_by_both: Count
    flips_among_both: Count

    __getitem__ = by_name


def answering(network: Predictions, at: Thresholds) -> Answering:
    """network: both splits."""
    validation, test = network.only("val"), network.only("test")
    positive, p = test.is_melanoma, test.p
    answered = rejection.entropy(p) <= at.uncertain
    return Answering(
        temperature_scaling.temperature(validation.logits, validation.labels),
        metrics.adaptive_ece(positive, p),
        tuple(temperature_scaling.reliability(positive, p)),
        rejection.curve(positive, p, at.decision),
        rejection.figures(positive, p, at.decision),
        rejection.figures(positive[answered], p[answered], at.decision),
    )


def uncertainty(reference: Predictions, artifact: Predictions, at: Thresholds) -> Uncertainty:
    """Both predictions are of the same images, in order."""
    before, after = (rejection.entropy(one.p) <= at.uncertain for one in (reference, artifact))
    differ = metrics.flips(reference.p, artifact.p, at.decision)
    return Uncertainty(
        int(np.sum(before & ~after)),
        int(np.sum(~before & after)),
        int(np.sum(before & after)),
        int(np.sum(before & after & differ)),
    )
