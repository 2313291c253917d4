"""policy.json: at which threshold an app decides, when it says "uncertain", and what it advises in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from melanoma_edge.artifact import read_json
from melanoma_edge.data import quality
from melanoma_edge.data.quality import CaptureGuide
from melanoma_edge.data.task import Task
from melanoma_edge.document import Text, by_name
from melanoma_edge.errors import InputError
from melanoma_edge.verify.rejection import Nats, entropy

POLICY = "policy.json"
SCHEMA_VERSION = 1
UNCERTAIN = "uncertain"
Bound = Annotated[float, Meta(ge=0)]


@dataclass(frozen=True)
class EntropyRule:
    """How the entropy is computed, in words; unit: "nats"."""

    formula: str = "-p ln p - (1 - p) ln(1 - p)"
    p: str = "probability of melanoma: softmax of the file's logits, at task.melanoma"
    unit: str = "nats"

    __getitem__ = by_name


@dataclass(frozen=True)
class Told:
    """What an app shows in the place of a tier's texts."""

    title: Text
    advice: Text

    __getitem__ = by_name


@dataclass(frozen=True)
class TierText(Told):
    """A step of advice."""

    name: Text


@dataclass(frozen=True)
class FilePolicy:
    """One file. The decision is melanoma where p >= threshold; uncertain where the entropy of p is above
    rejection_threshold, in nats. bounds: the least p of each tier, in order; the first is 0, one is the threshold.
    temperature: information, not to be applied: what fits on top of the one that is folded into the file, None where
    nothing does.
    """

    name: str
    format: str
    precision: str
    threshold: Bound
    rejection_threshold: Nats
    temperature: Annotated[float, Meta(gt=0)] | None
    bounds: Annotated[tuple[Bound, ...], Meta(min_length=1)]

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How an app decides, when it is uncertain, and what it advises. p is the probability of melanoma: the softmax of
    the file's own logits, as they come out, at task.melanoma.

    notice: shown beside every answer. min_kept: least share of the validation images that is answered. tiers: lowest
    first; that of p is the last one whose bound is <= p. uncertain: shown in the place of the tier's. capture: limits
    on a photograph, None where the build set none.
    """

    schema_version: Annotated[int, Meta(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    generator: Annotated[str, Meta(pattern="^melanoma-edge ")]
    name: str
    notice: Text
    task: Task
    entropy: EntropyRule = EntropyRule()
    min_kept: Annotated[float, Meta(gt=0, le=1)]
    tiers: Annotated[tuple[TierText, ...], Meta(min_length=1)]
    uncertain: Told
    artifacts: tuple[FilePolicy, ...]
    capture: CaptureGuide | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class Answer:
    """What an app shows for one image. entropy: in nats. title, advice: the tier's, or those of `uncertain`."""

    decision: str  # "melanoma" or "other"
    tier: str
    uncertain: bool
    entropy: float
    title: str
    advice: str


def read_policy(folder: Path) -> Policy:
    """The policy of a bundle. Raises InputError when there is none that this version wrote."""
    return read_json(folder / POLICY, Policy)


def answer(policy: Policy, artifact: str, p: float) -> Answer:
    """What a policy says to a probability of melanoma by one of its files: the code that an app needs.

    Raises InputError for a file that the policy does not know.
    """
    own = entry(policy, artifact)
    number = max((i for i, bound in enumerate(own.bounds) if p >= bound), default=0)
    spread = float(entropy(np.array([p]))[0])
    unsure = not spread <= own.rejection_threshold  # a NaN is not sure of anything
    told: Told = policy.uncertain if unsure else policy.tiers[number]
    decision = "melanoma" if p >= own.threshold else "other"
    return Answer(decision, policy.tiers[number].name, unsure, spread, told.title, told.advice)


def faults(policy: Policy, pixels: NDArray[np.uint8]) -> list[str]:
    """What a policy says is wrong with a picture, uint8 `[S, S, 3]`: codes of `quality.ADVICE`, none without limits.

    Raises InputError when its limits are of measures that this version does not know.
    """
    if policy.capture is None:
        return []
    if policy.capture.version != quality.VERSION:
        found = f"limits of version {policy.capture.version} of the capture quality"
        raise InputError(f"{POLICY} has {found}; accepted is {quality.VERSION}: build again")
    return list(quality.advice(quality.measure(pixels), policy.capture.limits))


def entry(policy: Policy, artifact: str) -> FilePolicy:
    """The thresholds of one file. Raises InputError, listing the known, for another."""
    known: Mapping[str, FilePolicy] = {row.name: row for row in policy.artifacts}
    if artifact not in known:
        raise InputError(f"{POLICY} says nothing of {artifact}: it knows {', '.join(known) or 'no file'}")
    return known[artifact]
