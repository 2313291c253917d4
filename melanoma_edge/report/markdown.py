"""The report in one screen of Markdown, for pull requests and `docs/results`."""

import re
from collections.abc import Iterable, Sequence

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.robustness import file_sentence, reference_sentence
from melanoma_edge.report.wording import integer, megabytes, number, percent, signed
from melanoma_edge.verify.document import ArtifactRow, Scores
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.heat_maps import HeatMapReport

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def render_markdown(report: Report) -> str:
    """Verdict, gates and the table of files of a `build_report` document, in GitHub's Markdown."""
    point, reference = report.operating_point, report.reference
    parts = [f"## {text(report.name)}: {'ships' if report.verdict.ships else 'does not ship'}"]
    parts += [f"**Warning:** {text(warning.text)}" for warning in report.warnings]
    if not report.data.clinical:
        parts.append("**Procedural images, not patients: no figure here is clinical.**")
    parts += [bullets(report.verdict.reasons)] if report.verdict.reasons else []
    parts.append(
        f"{integer(reference.n)} test images of {text(report.data.name)}, "
        f"{integer(reference.melanomas)} of them melanomas; melanoma is decided from "
        f"p = {number(point.threshold)} on ({text(point.rule)})."
    )
    parts += [files_table(report), _rulings(report.artifacts), _answering(report), _robustness(report)]
    parts += [_looks(report.heat_maps), _gates(report.gates)]
    parts.append("An aid for engineers and researchers, never a diagnosis.")
    return "\n\n".join(part for part in parts if part) + "\n"


def files_table(report: Report) -> str:
    """The reference and every file with size, latency and decisions."""
    heads = ("file", "size", "p50 ms", "AUC", "ΔAUC", "sensitivity", "specificity", "flips", "mean Δp", "max Δp")
    rows = [_row("reference", report.reference, (wording.ABSENT,) * 4)]
    rows += [_row(code(row.name), row, _changes(row)) for row in report.artifacts]
    return table(heads, rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A GitHub table of finished cells; the first `words` columns are text, the others figures."""
    marks = ["---" if i < words else "---:" for i in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, marks, *rows))


def text(value: object) -> str:
    """Text from outside as Markdown that shows it as it is."""
    return SPECIAL.sub(r"\\\1", wording.plain(value, 900))


def code(value: object) -> str:
    """A file name or the like in code style, fit for a table."""
    return f"`{wording.plain(value).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def bullets(lines: Iterable[object]) -> str:
    """A list, an item a line."""
    return "\n".join(f"- {text(line)}" for line in lines)


def _row(name: str, row: Scores, changes: tuple[str, ...]) -> tuple[str, ...]:
    """A row of the table of files. changes: of AUC, decisions, and probability, twice."""
    area, flips, *moved = changes
    judged = number(row.auc), area, percent(row.sensitivity), percent(row.specificity)
    return (name, megabytes(row.bytes), number(row.p50, 2), *judged, flips, *moved)


def _changes(row: ArtifactRow) -> tuple[str, ...]:
    flips = f"{integer(row.flips)} ({percent(row.flip_rate, 2)})"
    return signed(row.auc_delta), flips, number(row.mean_abs_dp), number(row.max_abs_dp)


def _rulings(artifacts: Sequence[ArtifactRow]) -> str:
    """The verdict on each compressed file's sensitivity, a line a file."""
    judged = [(a.name, a.certainty.sensitivity) for a in artifacts if a.certainty]
    lines = [f"- {code(name)}: sensitivity **{v.verdict}**. {text(wording.ruling(v))}" for name, v in judged]
    return "\n".join(lines)


def _robustness(report: Report) -> str:
    """One line on changed photographs: the reference, and the first compressed file."""
    found = report.robustness
    if not found:
        return "Robustness to other photographs: not measured."
    small = [row.name for row in report.artifacts if row.precision != "float32"][:1]
    said = [reference_sentence(found), *(f"{name}: {file_sentence(found, name)}" for name in small)]
    return text("Other photographs. " + " ".join(said))


def _answering(report: Report) -> str:
    """Calibration and refusal: a line on the first compressed file, and one a file on what changes."""
    answers = [(row.name, row.answering) for row in report.artifacts if row.precision != "float32" and row.answering]
    if not answers:
        return ""
    (name, own), folded = answers[0], report.reference.temperature
    every, answered = own.all, own.answered
    first = (
        f"Temperature {number(folded.value if folded else None, 3)} is folded in, {number(own.own_temperature, 3)} is "
        f"left in {code(name)}: ECE {number(every.ece, 3)}; {integer(every.n - answered.n)} of {integer(every.n)} "
        f"images refused as uncertain, accuracy {percent(every.accuracy)} without and {percent(answered.accuracy)} "
        "with refusal."
    )
    small = [(row.name, row.uncertainty) for row in report.artifacts if row.precision != "float32"]
    changes = [f"- {code(name)}: {wording.uncertain(changes)}." for name, changes in small if changes]
    return "\n".join([first, "", *changes])


def _looks(heat_maps: HeatMapReport | None) -> str:
    """How alike the heat maps are, a line a file."""
    rows = heat_maps.agreement if heat_maps else ()
    return "\n".join(
        f"- {code(row.artifact)}: heat maps correlate with the float network's by {number(row.median, 3)} "
        f"(median; lowest {number(row.lowest, 3)})."
        for row in rows
    )


def _gates(gates: Sequence[Gate]) -> str:
    rows = [
        (
            text(wording.gate_title(gate)),
            code(gate.artifact),
            "holds" if gate.passed else "**fails**",
            wording.gate_figure(gate, "value"),
            wording.gate_figure(gate, "limit"),
        )
        for gate in gates
    ]
    if not rows:
        return ""
    parts = table(("gate", "file", "verdict", "measured", "limit"), rows, words=3), bullets(wording.gate_notes(gates))
    return "\n\n".join(filter(None, parts))
