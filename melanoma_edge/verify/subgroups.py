"""The same comparison within groups of images: for whom does the artifact decide otherwise?

A group is flagged when the artifact is wrong where the reference is right more often than the other way round, by more
than chance in that group alone (one-sided exact McNemar test). With many groups one in twenty is flagged by chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from melanoma_edge.document import Count, Estimate, Share, by_name
from melanoma_edge.verify import metrics
from melanoma_edge.verify.metrics import Mask, Scores
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.paired import tango
from melanoma_edge.verify.predictions import Predictions

UNLIKELY = 0.05
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Subgroup:
    """One group. sensitivity, specificity: of the reference; *_change: artifact minus reference, with Tango's interval;
    NaN where the group has no such image. loses: whether it is flagged, p: by which probability.
    """

    attribute: str
    value: str
    images: Count
    melanomas: Count
    flips: Count
    sensitivity: Share
    sensitivity_change: Estimate
    specificity: Share
    specificity_change: Estimate
    only_reference: Count
    only_artifact: Count
    p: Share
    loses: bool

    __getitem__ = by_name


def subgroups(
    reference: Predictions, artifact: Predictions, point: OperatingPoint, members: Mapping[str, Mapping[str, str]]
) -> list[Subgroup]:
    """members: attribute to the value of each image, by its id; images that are missing have the value "unknown".

    Attributes in their order, their values by size; an attribute with one value alone is left out.
    """
    positive, before, after = reference.is_melanoma, reference.p, artifact.p
    found: list[Subgroup] = []
    for attribute, values in members.items():
        named = np.array([values.get(i) or UNKNOWN for i in reference.ids])
        names, counts = np.unique(named, return_counts=True)
        for value in names[np.argsort(-counts, kind="stable")] if len(names) > 1 else ():
            own = named == value
            found.append(_group(attribute, str(value), positive[own], before[own], after[own], point.threshold))
    return found


def _group(attribute: str, value: str, positive: Mask, before: Scores, after: Scores, threshold: float) -> Subgroup:
    right, now = ((p >= threshold) == positive for p in (before, after))
    lost, gained = right & ~now, ~right & now
    at = metrics.confusion(positive, before, threshold)
    total = int(lost.sum() + gained.sum())
    p = float(binomtest(int(lost.sum()), total, alternative="greater").pvalue) if total else 1.0
    return Subgroup(
        attribute,
        value,
        len(positive),
        int(positive.sum()),
        int(metrics.flips(before, after, threshold).sum()),
        at.sensitivity,
        _change(lost[positive], gained[positive]),
        at.specificity,
        _change(lost[~positive], gained[~positive]),
        int(lost.sum()),
        int(gained.sum()),
        p,
        p < UNLIKELY,
    )


def _change(lost: Mask, gained: Mask) -> Estimate:
    if not len(lost):
        return float("nan"), float("nan"), float("nan")
    low, high = tango(int(lost.sum()), int(gained.sum()), len(lost))
    return (int(gained.sum()) - int(lost.sum())) / len(lost), low, high
