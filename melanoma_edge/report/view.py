"""What the page shows that report.json does not hold as such: headline, timings side by side, provenance in words."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from melanoma_edge.bench.document import BenchReport, BenchRow, MachineFacts, Preparing
from melanoma_edge.report import wording
from melanoma_edge.report.document import Report, TimedFile
from melanoma_edge.verify.document import ArtifactRow, Counts, ReferenceRow
from melanoma_edge.verify.gates import Gate

STEPS = {
    "exif_transpose": "turned upright as its EXIF says",
    "rgb": "converted to RGB",
    "center_crop_square": "cropped to its centred square",
    "resize_bilinear_antialias": "resized with antialiased bilinear filtering as Pillow does it",
    "normalize": "normalised",
}
SPLITS = {"train": "training", "val": "validation", "test": "test"}
DEVICES = {"cpu": "the CPU", "cuda": "a GPU"}


@dataclass(frozen=True)
class TimedRow:
    """A file, the reference first, with its timings in the order of `thread_counts`; None where there is none.

    runs: the fewest.
    """

    row: ReferenceRow | ArtifactRow | TimedFile
    timings: tuple[BenchRow | None, ...]
    runs: int | None

    @property
    def is_reference(self) -> bool:
        """Whether it is the full-precision network."""
        return isinstance(self.row, ReferenceRow)


def headline(report: Report) -> tuple[ArtifactRow, ArtifactRow | None] | None:
    """The first compressed file, and the float32 file for the same runtime."""
    small = next((row for row in report.artifacts if row.precision != "float32"), None)
    if small is None:
        return None
    same = (row for row in report.artifacts if row.precision == "float32" and row.format == small.format)
    return small, next(same, None)


def thread_counts(report: Report) -> list[int]:
    """Every number of threads that something was timed with."""
    rows = (report.reference, *report.artifacts)
    return sorted({timing.threads for row in rows for timing in row.latency})


def timed(report: Report) -> list[TimedRow]:
    """A row a file: the reference where it was timed, what else was, and every artifact."""
    counts, found = thread_counts(report), []
    rows: list[ReferenceRow | ArtifactRow | TimedFile] = [*report.also_timed, *report.artifacts]
    for row in [report.reference, *rows] if report.reference.latency else rows:
        by_threads = {timing.threads: timing for timing in row.latency}
        runs = min((timing.runs for timing in row.latency), default=None)
        found.append(TimedRow(row, tuple(map(by_threads.get, counts)), runs))
    return found


def answering(report: Report) -> list[ReferenceRow | ArtifactRow]:
    """The reference and every file, with what they answer under the thresholds that ship."""
    rows: list[ReferenceRow | ArtifactRow] = [report.reference, *report.artifacts]
    return [row for row in rows if row.answering]


def provenance(report: Report) -> list[tuple[str, str]]:
    """What it takes to make the build again, as names and values."""
    build, reference = report.build, report.reference
    versions = {"melanoma-edge": report.generator.rpartition(" ")[2]}
    for file in report.files:
        versions |= file.versions or {}
    versions |= {row.runtime: row.runtime_version for row in report.artifacts if row.runtime_version}
    facts = {
        "Command": build.command,
        "Seed": build.seed,
        **{f"Options: {stage}": _pairs(chosen) for stage, chosen in build.options.items()},
        "Versions": _pairs(versions, " "),
        "Machine": machine(report.bench.machine),
        "Reference": f"{reference.runtime} {reference.version or ''} on {device(reference.device)}, "
        f"{threads(reference.threads)}",
        "Reference network, sha256": reference.sha256,
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]


def processor(facts: MachineFacts) -> str:
    """The processor and how many of its cores there were."""
    named = facts.processor or "an unnamed processor"
    return wording.plain(", ".join([named, *([f"{facts.cores} cores"] if facts.cores else [])]))


def machine(facts: MachineFacts) -> str:
    """The processor, its cores and whatever else is known of the machine."""
    rest = [facts.memory, facts.system, facts.python, facts.gpu or "", " ".join(facts.instructions)]
    return wording.plain(", ".join([processor(facts), *filter(None, rest)]), 400)


def method(bench: BenchReport) -> list[str]:
    """How the latencies were taken, in sentences, and what speaks against them."""
    said = [wording.plain(bench.method or "One image at a time.", 400)]
    cores, load = bench.machine.cores, bench.load_average[0] if bench.load_average else 0
    if cores and load > cores + 0.5:
        said.append(
            f"The machine was busy (load {load:.1f} on {cores} cores): believe the ratios, not the milliseconds."
        )
    for count in bench.skipped_threads:
        said.append(f"{threads(count).capitalize()} were not timed, for want of cores.")
    return said


def prepared(report: Report) -> list[tuple[Preparing, list[Preparing | None]]]:
    """What comes before the network, a row a photograph, with timings in the order of `thread_counts`: one has any."""
    counts = thread_counts(report)
    return [(row, [row if n == min(counts) else None for n in counts]) for row in report.bench.preparing]


def device(name: str | None) -> str:
    """Where a network ran, in words: a GPU has its own name."""
    return DEVICES.get(str(name), wording.plain(name or "an unnamed device"))


def threads(count: int) -> str:
    """A number of threads in words."""
    return f"{count} thread{'s' if count > 1 else ''}"


def split_name(name: str) -> str:
    """A split in words."""
    return SPLITS.get(name, wording.plain(name))


def step(name: str) -> str:
    """A step of the preprocessing in words."""
    return STEPS.get(name, wording.plain(name.replace("_", " ")))


def channels(values: Sequence[float]) -> str:
    """A value for each channel, or one for all."""
    return ", ".join(f"{v:g}" for v in (values[:1] if len(set(values)) == 1 else values))


def used(gate: Gate) -> float:
    """How far the meter of a gate is filled, 0 to 100; its limit stands at 80. A value that is no number fills it."""
    if gate.value is None:
        return 100.0
    if not gate.limit:
        return 0.0 if gate.passed else 100.0
    return min(max(round(80 * gate.value / gate.limit, 1), 0.0), 100.0)


def margin(confusion: Counts) -> float | None:
    """Half the width of the 95 % interval of a sensitivity (Wilson, JASA 22, 1927, 209-212); None without melanomas."""
    n, z = confusion.tp + confusion.fn, 1.96
    if not n:
        return None
    p = confusion.tp / n
    return float(z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))


def _pairs(values: Mapping[str, object], between: str = " = ") -> str:
    """A mapping as `name = value, ...`; what was left open is left out."""
    return ", ".join(f"{name}{between}{value}" for name, value in _leaves(values) if value is not None)


def _leaves(values: Mapping[str, object], parent: str = "") -> Iterator[tuple[str, object]]:
    """Nested options as `parent.name` and value."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{parent}{name}.")
        else:
            yield f"{parent}{name}", value
