"""What the proof leaves behind: one document that reports are made from. Every figure in it was measured here."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from msgspec import Meta

from melanoma_edge.bench.document import BenchRow, Latency
from melanoma_edge.document import Count, Distance, Figure, Number, Share, by_name, finite
from melanoma_edge.errors import Caution
from melanoma_edge.verify import metrics
from melanoma_edge.verify.answering import Answering, Uncertainty
from melanoma_edge.verify.arm64 import Arm64Report
from melanoma_edge.verify.bland_altman import Agreement, bland_altman
from melanoma_edge.verify.certainty import Certainty
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.heat_maps import HeatMapReport
from melanoma_edge.verify.metrics import Confusion
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.parity import Flip, Parity
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.rejection import NOTHING, Rejection
from melanoma_edge.verify.robustness import RobustnessReport
from melanoma_edge.verify.subgroups import Subgroup
from melanoma_edge.verify.temperature_scaling import TemperatureFacts

Direction = Annotated[str, Meta(pattern="^(melanoma->other|other->melanoma|undefined)$")]


@dataclass(frozen=True)
class Counts:
    """Decisions on the test images."""

    tp: Count
    fp: Count
    tn: Count
    fn: Count

    __getitem__ = by_name


@dataclass(frozen=True)
class Curve:
    """The thinned ROC curve, rounded to 6 digits: it is for drawing."""

    fpr: tuple[Share, ...]
    tpr: tuple[Share, ...]

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class Scores:
    """One network on the test images: ranking, decisions by the policy that ships, and what it costs.

    undefined: images without a number. answering: None where it was not computed. bytes: of its file. latency_ms: with
    the fewest threads, of which `latency` has every number; cold_start_ms: loading and the first run;
    peak_memory_bytes: how far both raise the high-water mark of a fresh process. All None where it was not timed.
    """

    name: str
    auc: Share
    ece: Share
    brier: Share
    sensitivity: Share
    specificity: Share
    confusion: Counts
    roc: Curve
    average_precision: Share = None
    partial_auc: Share = None
    ppv: Share = None
    npv: Share = None
    f1: Share = None
    f2: Share = None
    balanced_accuracy: Share = None
    undefined: Count = 0
    answering: Answering | None = None
    bytes: Count | None = None
    latency_ms: Latency | None = None
    latency: tuple[BenchRow, ...] = ()
    cold_start_ms: Figure = None
    peak_memory_bytes: Count | None = None
    partitions: int | None = None

    __getitem__ = by_name

    @property
    def p50(self) -> Figure:
        """Median latency in milliseconds with the fewest threads."""
        return self.latency_ms.p50 if self.latency_ms else None


@dataclass(frozen=True, kw_only=True)
class PredictionFacts:
    """How a network predicted. device: such as "cpu". model: the file's name. temperature: of the reference alone."""

    runtime: str
    version: str | None = None
    device: str
    threads: Number
    model: str | None = None
    sha256: str | None = None
    seconds: Figure = None
    temperature: TemperatureFacts | None = None

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class ReferenceRow(Scores):
    """The full-precision network that every file is compared with, on n test images; and its PredictionFacts."""

    n: Count
    melanomas: Count
    name: str = "reference"
    runtime: str = ""
    version: str | None = None
    device: str = ""
    threads: int = 1
    model: str | None = None
    sha256: str | None = None
    seconds: Figure = None
    temperature: TemperatureFacts | None = None


@dataclass(frozen=True, kw_only=True)
class ArtifactRow(Scores):
    """One file. file: its place in the bundle. Deltas are file minus reference, dp changes of P(melanoma).

    top1_agreement: share of images on which the highest logit is the same. Parts are None, or empty, where they were
    not computed.
    """

    format: str
    precision: str
    runtime: str
    runtime_version: str
    bytes: Count
    file: str = ""
    n: Count | None = None
    auc_delta: Annotated[float, Meta(ge=-1, le=1)] | None
    sensitivity_delta: Figure = None
    specificity_delta: Figure = None
    flips: Count
    flip_rate: Share
    max_abs_dp: Share
    mean_abs_dp: Share
    top1_agreement: Share = None
    bland_altman: Agreement | None = None
    certainty: Certainty | None = None
    subgroups: tuple[Subgroup, ...] = ()
    uncertainty: Uncertainty | None = None


@dataclass(frozen=True)
class FlipRow:
    """An image that a file and the reference decide differently. diagnosis: the dataset's own class name."""

    artifact: str
    image_id: str
    label: str
    p_reference: Share
    p_artifact: Share
    direction: Direction
    diagnosis: str | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class FormatAgreement:
    """Two files that one graph became for two runtimes, compared with each other on the test images."""

    files: tuple[str, str]
    precision: str
    flips: Count
    max_abs_dp: Distance

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """The proof. operating_point and rejection: the policy that ships, chosen on the reference's validation images.

    robustness, heat_maps, arm64: None where they were not asked for. warnings: what may be wrong and stops nothing.
    """

    operating_point: OperatingPoint
    rejection: Rejection = NOTHING
    reference: ReferenceRow
    artifacts: tuple[ArtifactRow, ...]
    gates: tuple[Gate, ...]
    flips: tuple[FlipRow, ...]
    agreement: tuple[FormatAgreement, ...]
    robustness: RobustnessReport | None = None
    heat_maps: HeatMapReport | None = None
    arm64: Arm64Report | None = None
    warnings: tuple[Caution, ...] = ()

    __getitem__ = by_name


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
    certainty: Certainty | None = None
    subgroups: Sequence[Subgroup] = ()
    answering: Answering | None = None
    uncertainty: Uncertainty | None = None


def with_facts(report: VerifyReport, facts: PredictionFacts) -> VerifyReport:
    """A proof that says how its reference predicted."""
    return replace(report, reference=replace(report.reference, **vars(facts)))


def document(
    operating_point: OperatingPoint,
    reference: Predictions,
    artifacts: Sequence[Verified],
    gates: Sequence[Gate],
    diagnoses: Mapping[str, str],
    rejection: Rejection = NOTHING,
    answers: Answering | None = None,
) -> VerifyReport:
    """The verify stage's result: what is undefined is None.

    diagnoses: image id to the dataset's own class name, for the ledger of flips; ids that are missing have None.
    rejection: of the policy that ships. answers: the reference's, from `answering`.
    """
    return finite(
        VerifyReport(
            operating_point=operating_point,
            rejection=rejection,
            reference=_reference(reference, operating_point, answers),
            artifacts=tuple(_artifact(a, reference) for a in artifacts),
            gates=tuple(gates),
            flips=tuple(_flip(a.name, flip, diagnoses) for a in artifacts for flip in a.parity.ledger),
            agreement=tuple(_agreement(a, b, operating_point) for a, b in _pairs(artifacts)),
        )
    )


def _reference(predictions: Predictions, point: OperatingPoint, answers: Answering | None) -> ReferenceRow:
    positive, p = predictions.is_melanoma, predictions.p
    at = metrics.confusion(positive, p, point.threshold)
    return ReferenceRow(
        n=len(predictions),
        melanomas=int(positive.sum()),
        auc=metrics.auc(positive, p),
        average_precision=metrics.average_precision(positive, p),
        partial_auc=metrics.partial_auc(positive, p),
        ece=metrics.ece(positive, p),
        brier=metrics.brier(positive, p),
        sensitivity=at.sensitivity,
        specificity=at.specificity,
        ppv=at.ppv,
        npv=at.npv,
        f1=at.f1,
        f2=at.f2,
        balanced_accuracy=at.balanced_accuracy,
        undefined=at.undefined,
        confusion=_counts(at),
        roc=_roc(predictions),
        answering=answers,
    )


def _artifact(verified: Verified, reference: Predictions) -> ArtifactRow:
    parity, at = verified.parity, verified.parity.confusion
    positive, p = verified.predictions.is_melanoma, verified.predictions.p
    return ArtifactRow(
        name=verified.name,
        format=verified.format,
        precision=verified.precision,
        runtime=verified.runtime,
        runtime_version=verified.runtime_version,
        bytes=verified.bytes,
        n=parity.n,
        auc=parity.auc,
        auc_delta=parity.auc_delta,
        average_precision=metrics.average_precision(positive, p),
        partial_auc=metrics.partial_auc(positive, p),
        ece=parity.ece,
        brier=parity.brier,
        sensitivity=parity.sensitivity,
        sensitivity_delta=parity.sensitivity_delta,
        specificity=parity.specificity,
        specificity_delta=parity.specificity_delta,
        ppv=at.ppv,
        npv=at.npv,
        f1=at.f1,
        f2=at.f2,
        balanced_accuracy=at.balanced_accuracy,
        undefined=at.undefined,
        flips=parity.flips,
        flip_rate=parity.flip_rate,
        max_abs_dp=parity.max_abs_dp,
        mean_abs_dp=parity.mean_abs_dp,
        top1_agreement=parity.top1_agreement,
        confusion=_counts(at),
        roc=_roc(verified.predictions),
        bland_altman=bland_altman(reference.p, p),
        certainty=verified.certainty,
        subgroups=tuple(verified.subgroups),
        answering=verified.answering,
        uncertainty=verified.uncertainty,
    )


def _pairs(artifacts: Sequence[Verified]) -> list[tuple[Verified, Verified]]:
    """The files of one precision in different formats: what one graph became for two runtimes."""
    pairs = itertools.combinations(artifacts, 2)
    return [(a, b) for a, b in pairs if a.precision == b.precision and a.format != b.format]


def _agreement(one: Verified, other: Verified, point: OperatingPoint) -> FormatAgreement:
    p, q = one.predictions.p, other.predictions.p
    flips = int(metrics.flips(p, q, point.threshold).sum())
    furthest = float(np.abs(p - q).max()) if len(p) else float("nan")
    return FormatAgreement((one.name, other.name), one.precision, flips, furthest)


def _counts(at: Confusion) -> Counts:
    return Counts(at.tp, at.fp, at.tn, at.fn)


def _roc(predictions: Predictions) -> Curve:
    curve = metrics.thin(metrics.roc_curve(predictions.is_melanoma, predictions.p))
    fpr, tpr = (tuple(round(v, 6) for v in values.tolist()) for values in (curve.fpr, curve.tpr))
    return Curve(fpr, tpr)


def _flip(artifact: str, flip: Flip, diagnoses: Mapping[str, str]) -> FlipRow:
    diagnosis = diagnoses.get(flip.image_id)
    return FlipRow(artifact, flip.image_id, flip.label, flip.p_reference, flip.p_artifact, flip.direction, diagnosis)
