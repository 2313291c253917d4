"""report.json: everything a build proved, as one document. Every other form of the report is rendered from it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from melanoma_edge.artifact import read_json
from melanoma_edge.bench.document import BenchReport, BenchRow, Latency
from melanoma_edge.data.inspect import DataSummary
from melanoma_edge.data.preprocess import Preprocessing, PreprocessingFacts
from melanoma_edge.data.task import Task
from melanoma_edge.document import Count, Number, Sha256, by_name, finite
from melanoma_edge.export.report import ExportFacts
from melanoma_edge.report import wording
from melanoma_edge.report.bundle import GENERATOR
from melanoma_edge.selection.report import QuantizationFacts
from melanoma_edge.train.history import TrainingReport
from melanoma_edge.verify.arm64 import Arm64Report
from melanoma_edge.verify.document import ArtifactRow, ReferenceRow, VerifyReport
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.policy import Policy

SCHEMA_VERSION = 1
REPORT = "report.json"
ARM64 = "max_arm64_"  # how the names of its gates begin
LIMITS_OF_USE = (
    "An aid for engineers and researchers who build and compare software. It is never a diagnosis.",
    "It is not a medical device: no authority has cleared it, and nobody has tested it in a clinic.",
    "The figures hold for images like the test images, judged one by one. They say nothing about other cameras, other "
    "skin, or lesions that are rare or absent in the data.",
    "A lesion that worries somebody is shown to a dermatologist, whatever this software says.",
)
Generator = Annotated[str, Meta(pattern="^melanoma-edge ")]
Moment = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


@dataclass(frozen=True)
class Verdict:
    """Whether a build ships, and one sentence for each reason why it does not."""

    ships: bool
    reasons: tuple[str, ...]

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class Build:
    """What was asked for, and how the graphs were made. arch: None for a network from elsewhere. options: by stage."""

    task: Task
    arch: str | None
    image_size: Number
    seed: int
    options: Mapping[str, Mapping[str, object]]
    command: str | None = None
    targets: tuple[str, ...] = ()
    quantization: QuantizationFacts | None = None
    export: ExportFacts | None = None

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """A file of the bundle and how it was made: its stage, the sha256 of what went in, options, versions, seconds."""

    file: str
    sha256: Sha256
    bytes: Count
    stage: str | None = None
    inputs: Mapping[str, str] | None = None
    options: Mapping[str, object] | None = None
    versions: Mapping[str, str] | None = None
    seconds: float | None = None

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class TimedFile:
    """What was timed beside the reference and the artifacts, and not judged: the float network in other runtimes."""

    name: str
    runtime: str
    bytes: Count | None
    latency_ms: Latency | None
    latency: tuple[BenchRow, ...]
    cold_start_ms: float | None = None
    peak_memory_bytes: int | None = None
    partitions: int | None = None

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class Report(VerifyReport):
    """The proof with all that it is a proof of. training: None for a network from elsewhere. bench: without its rows,
    which stand with the files that they are of.
    """

    schema_version: Annotated[int, Meta(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    generator: Generator
    name: str
    created_utc: Moment
    verdict: Verdict
    build: Build
    data: DataSummary
    preprocessing: PreprocessingFacts
    training: TrainingReport | None
    bench: BenchReport
    also_timed: tuple[TimedFile, ...] = ()
    files: tuple[FileEntry, ...] = ()
    policy: Policy | None = None
    limits_of_use: Annotated[tuple[str, ...], Meta(min_length=1)] = LIMITS_OF_USE


def build_report(
    *,
    name: str,
    created_utc: str,
    build: Build,
    data: DataSummary,
    verify: VerifyReport,
    bench: BenchReport,
    training: TrainingReport | None = None,
    files: Sequence[FileEntry] = (),
) -> Report:
    """The document of report.json. What is not a number becomes None, and a gate without a number has failed.

    verify: its reference with the facts of its prediction. files: one entry a file of the bundle.
    """
    gates = tuple(map(_gate, verify.gates))
    proof = {**vars(verify), "gates": gates}
    proof["reference"] = _reference(verify.reference, bench.rows)
    proof["artifacts"] = _artifacts(verify.artifacts, bench.rows, files)
    return finite(
        Report(
            **proof,
            generator=GENERATOR,
            name=name,
            created_utc=created_utc,
            verdict=verdict(gates),
            build=build,
            data=data,
            preprocessing=Preprocessing(build.image_size).describe(),
            training=training,
            bench=replace(bench, rows=()),
            also_timed=_also_timed(verify, bench.rows),
            files=tuple(files),
        )
    )


def read_report(folder: Path) -> Report:
    """The report of a build, shipped or withheld. Raises InputError when there is none that this version wrote."""
    return read_json(folder / REPORT, Report)


def verdict(gates: Sequence[Gate]) -> Verdict:
    """Whether a build ships. One that no gate judged does not."""
    failed = tuple(wording.gate_reason(gate) for gate in gates if not gate.passed)
    reasons = failed if gates else ("no gate judged it",)
    return Verdict(not reasons, reasons)


def with_arm64(report: Report, found: Arm64Report, judged: Sequence[Gate]) -> Report:
    """A report with what `stages.arm64` found in it: its gates are judged with the others."""
    gates = [gate for gate in report.gates if not gate.name.startswith(ARM64)]
    every = (*gates, *map(_gate, judged))
    return replace(report, arm64=found, gates=every, verdict=verdict(every))


def _gate(gate: Gate) -> Gate:
    """A gate whose value is no number has failed, whatever else it says."""
    measured = gate.value is not None and math.isfinite(gate.value)
    return replace(gate, value=gate.value if measured else None, passed=gate.passed and measured)


def _reference(judged: ReferenceRow, rows: Sequence[BenchRow]) -> ReferenceRow:
    """The reference; the rows of the bench call it "reference", or by its file."""
    own = [row for row in rows if row.name in (judged.name, judged.model)]
    return replace(judged, bytes=own[0].bytes if own else None, **_timings(own))


def _artifacts(
    judged: Sequence[ArtifactRow], rows: Sequence[BenchRow], files: Sequence[FileEntry]
) -> tuple[ArtifactRow, ...]:
    """Every artifact with its timings and its place in the bundle."""
    places = {entry.file.rpartition("/")[2]: entry.file for entry in files}
    return tuple(
        replace(a, file=places.get(a.name, a.name), **_timings([row for row in rows if row.name == a.name]))
        for a in judged
    )


def _also_timed(verify: VerifyReport, rows: Sequence[BenchRow]) -> tuple[TimedFile, ...]:
    known = {verify.reference.name, verify.reference.model, *(a.name for a in verify.artifacts)}
    firsts = {row.name: row for row in rows if row.name not in known}
    return tuple(
        TimedFile(
            name=name, runtime=row.runtime, bytes=row.bytes, **_timings([own for own in rows if own.name == name])
        )
        for name, row in firsts.items()
    )


def _timings(own: Sequence[BenchRow]) -> dict[str, Any]:
    """The fields of one file's timings: `latency_ms`, cold start and the rest with the fewest threads."""
    every = tuple(sorted(own, key=lambda row: row.threads))
    if not every:
        return {}
    first = every[0]
    return {
        "latency_ms": Latency(first.p50, first.p90, first.p99, first.runs, first.threads),
        "partitions": first.partitions,
        "latency": every,
        "cold_start_ms": first.load_ms + first.first_run_ms,
        "peak_memory_bytes": first.peak_memory_bytes,
    }
