"""What a person sees in a terminal: progress with time left, and tables. Builds; only `cli.py` prints."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from melanoma_edge.report import wording

if TYPE_CHECKING:
    from melanoma_edge.bench.document import BenchReport, CudaReport
    from melanoma_edge.bench.explain import Explanation
    from melanoma_edge.bench.machine import Finding
    from melanoma_edge.shipped import Answered
    from melanoma_edge.verify.arm64 import Arm64Report
    from melanoma_edge.verify.document import ReferenceRow, VerifyReport
    from melanoma_edge.verify.gates import Gate

NAMED = 5  # pictures with a fault that are named
LOG_EVERY = 15.0  # seconds between progress lines where there is no terminal


def bars(console: Console) -> Bars:
    """A live display of progress bars with the time left."""
    return Bars(
        TextColumn("{task.description}", justify="left"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[detail]}"),
        console=console,
    )


class BarProgress:
    """Progress drawn as bars on a terminal."""

    def __init__(self, display: Bars) -> None:
        self._display = display
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, task: str, done: int, total: int, detail: str = "") -> None:
        """Move the bar of `task`, making it the first time."""
        if task not in self._tasks or (done <= 1 and self._display.tasks[self._tasks[task]].finished):
            self._tasks[task] = self._display.add_task(task, total=total, detail=detail)
        self._display.update(self._tasks[task], completed=done, total=total, detail=detail)


class LineProgress:
    """Progress as an occasional line, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started: dict[str, float] = {}
        self._said = time.monotonic()

    def __call__(self, task: str, done: int, total: int, detail: str = "") -> None:
        """Say how far `task` is when it ends, and every LOG_EVERY seconds on the way."""
        now = time.monotonic()
        started = self._started.setdefault(task, now)
        if done >= total:
            self._started.pop(task)
        elif now - self._said < LOG_EVERY:
            return
        self._said = now
        left = (now - started) / max(done, 1) * (total - done)
        when = f"{left:.0f} s left" if done < total else "done"
        self._console.print(f"{task}: {done}/{total}, {when} {detail}".rstrip(), highlight=False, markup=False)


def result_table(report: "VerifyReport") -> Table:
    """The reference and the artifacts of a report side by side."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, head in enumerate(("file", "MB", "AUC", "sens.", "spec.", "flips", "mean |dp|", "p50 ms", "parts")):
        table.add_column(head, justify="right" if i else "left", no_wrap=i > 0, overflow="fold")
    changes = [("-", "-"), *((str(row.flips), _number(row.mean_abs_dp, 4)) for row in report.artifacts)]
    for row, changed in zip((report.reference, *report.artifacts), changes, strict=True):
        table.add_row(
            shown(row.name),
            _number(row.bytes / 1e6 if row.bytes else None, 2),
            _number(row.auc, 4),
            _number(row.sensitivity, 3),
            _number(row.specificity, 3),
            *changed,
            _number(row.p50, 2),
            _number(row.partitions, 0),
        )
    return table


def warning_lines(report: "VerifyReport") -> list[str]:
    """The warnings of a report, a line each."""
    return [shown(f"warning: {warning.text}") for warning in report.warnings]


def notes(report: "VerifyReport") -> list[str]:
    """How many images change between "answered" and "uncertain", a line for each compressed file, and why gates have
    another limit than usual."""
    small = [(row.name, row.uncertainty) for row in report.artifacts if row.precision != "float32"]
    told = [f"{name}: {wording.uncertain(changes)}" for name, changes in small if changes]
    return [shown(line) for line in (*told, *wording.gate_notes(report.gates))]


def latency_table(bench: "BenchReport") -> Table:
    """The rows of a bench."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    # Two lines a head: at 80 columns something must be left for the file.
    heads = (
        "file",
        "runtime",
        "threads",
        "p50\nms",
        "p90\nms",
        "p99\nms",
        "load\nms",
        "first\nms",
        "peak\nMB",
        "parts",
    )
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i < 2 else "right", no_wrap=i > 1, overflow="fold")
    for row in bench.rows:
        times = [_number(value, 2) for value in (row.p50, row.p90, row.p99, row.load_ms, row.first_run_ms)]
        memory = _number(None if row.peak_memory_bytes is None else row.peak_memory_bytes / 1e6, 1)
        partitions = _number(row.partitions, 0)
        table.add_row(shown(row.name), row.runtime, str(row.threads), *times, memory, partitions)
    return table


def preparing(bench: "BenchReport") -> list[str]:
    """What stands before the network, a line each."""
    return [
        f"before the network: {row.image} to {row.size} pixels, {row.p50:.1f} ms ({row.decoding_p50:.1f} decoding)"
        for row in bench.preparing
    ]


def stored(made: "ReferenceRow") -> str:
    """Where a reference that is not run again was made."""
    where = f" {made.runtime} {made.version} on {made.device}," if made.device else ""
    return f"reference:{where} as stored; it was not run again"


def cuda_table(bench: "CudaReport") -> Table:
    """The rows of a bench on a GPU."""
    table = Table(box=None, pad_edge=False, header_style="bold", title=escape(str(bench.device)))
    for i, head in enumerate(("file", "runtime", "precision", "batch", "p50 ms", "p90 ms", "p99 ms", "images/s")):
        table.add_column(head, justify="left" if i < 3 else "right", no_wrap=i > 0, overflow="fold")
    for row in bench.rows:
        times = [_number(value, 3) for value in (row.p50, row.p90, row.p99)]
        facts = (shown(row.name), row.runtime, row.precision, str(row.batch))
        table.add_row(*facts, *times, _number(row.images_per_second, 0))
    return table


def operator_table(graph: "Explanation") -> Table:
    """The operators of one file."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, head in enumerate(("operator", "kernel", "part", "makes", "ms", "share", "SNR dB")):
        table.add_column(head, justify="right" if i in (2, 4, 5, 6) else "left", overflow="fold")
    for row in graph.rows:
        noise = "" if row.signal_to_noise is None else f"{row.signal_to_noise:.1f}"
        figures = (_number(row.milliseconds, 3), f"{100 * row.share:.1f} %", noise)
        table.add_row(row.operator, row.kernel, _number(row.partition, 0), shown(row.output), *figures)
    return table


def prediction_table(result: "Answered") -> Table:
    """Probability, decision, and the tier of advice or "uncertain"."""
    rows = [
        (row.image, f"{row.probability:.4f}", str(row.decision), "uncertain" if row.uncertain else str(row.tier))
        if row.probability is not None
        else (row.image, "-", str(row.error), "-")
        for row in result.predictions
    ]
    return fact_table(rows, ("image", "P(melanoma)", f"decision at {result.threshold:.4f}", "tier"))


def advice(result: "Answered") -> dict[str, str]:
    """What the predictions call for, as title and text: tiers, and faults with their pictures."""
    judged = [row for row in result.predictions if row.error is None]
    said = {str(row.title): str(row.advice) for row in judged}
    for code, text in result.capture_advice.items():
        names = [Path(row.image).name for row in judged if code in (row.capture or ())]
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            said[code] = f"{text} ({', '.join(names[:NAMED])}{more})"
    return said


def gate_table(gates: "Sequence[Gate]") -> Table:
    """Each gate with its limit, what was measured, and the verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, head in enumerate(("gate", "file", "limit", "value", "")):
        table.add_column(head, justify="right" if i in (2, 3) else "left", no_wrap=i != 1, overflow="fold")
    for gate in gates:
        verdict = "[green]passed[/]" if gate.passed else "[bold red]FAILED[/]"
        table.add_row(gate.name, shown(gate.artifact), _number(gate.limit, 4), _number(gate.value, 4), verdict)
    return table


def arm64_table(found: "Arm64Report") -> Table:
    """What every file gave on emulated ARM64."""
    title = f"{found.images} of {found.test_images} test images on {found.emulator}, beside {found.machine}"
    table = Table(box=None, pad_edge=False, header_style="bold", title=escape(title), title_justify="left")
    for i, head in enumerate(("file", "core", "images not\nthe same bits", "max |dlogit|", "flips", "")):
        table.add_column(head, justify="right" if 1 < i < 5 else "left", no_wrap=i > 0, overflow="fold")
    for row in found.rows:
        apart = "-" if row.max_abs_dlogit is None else f"{row.max_abs_dlogit:.1e}"
        verdict = "[green]holds[/]" if row.holds else "[bold red]FAILS[/]"
        counts = (str(row.differing_images), apart, str(row.flips))
        table.add_row(shown(row.artifact), row.cpu, *counts, verdict)
    return table


def findings_table(findings: Sequence["Finding"]) -> Table:
    """What `doctor` found, a line each."""
    rows = [(f.name, f.status, f.detail, f.remedy or "") for f in findings]
    return fact_table(rows, ("what", "status", "found", "remedy"))


def fact_table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> Table:
    """A plain table of strings."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(shown, row))
    return table


def shown(text: str) -> str:
    """Text from outside for rich, on one line: markup as it stands, control characters and escape sequences escaped."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return escape(visible)


def _number(value: float | None, digits: int) -> str:
    """A figure for a table; a dash where there is none."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{round(value, digits) + 0.0:.{digits}f}"  # no minus zero
