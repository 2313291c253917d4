"""Several builds side by side: one table of their compressed files, in Markdown or as a page."""

from collections.abc import Sequence

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.markdown import bullets, code, table, text
from melanoma_edge.report.wording import integer, megabytes, number, percent, signed
from melanoma_edge.verify.document import ArtifactRow

HEADS = ("build", "file", "ships", "size", "p50 ms", "by float's", "AUC", "ΔAUC", "flips", "mean Δp", "sensitivity")


def rows(reports: Sequence[Report]) -> list[tuple[str, ...]]:
    """A row of HEADS for each compressed file of each build; cells are finished but for escaping."""
    return [_row(report, a) for report in reports for a in report.artifacts if a.precision != "float32"]


def render_comparison(reports: Sequence[Report]) -> str:
    """Markdown: the table, and what the builds do not share, which is what they must not be compared by."""
    cells = [(text(row[0]), code(row[1]), *(text(cell) for cell in row[2:])) for row in rows(reports)]
    parts = ["## Builds side by side", table(HEADS, cells, words=3), bullets(differences(reports))]
    return "\n\n".join(part for part in parts if part) + "\n"


def differences(reports: Sequence[Report]) -> list[str]:
    """Sentences on what makes figures of two builds incomparable: other images, another rule, another machine."""
    found = {
        "test images": [f"{r.data.name}, {r.reference.n} images" for r in reports],
        "operating points": [str(r.operating_point.rule) for r in reports],
        "machines": [r.bench.machine.processor for r in reports],
    }
    told = {what: list(dict.fromkeys(values)) for what, values in found.items()}
    return [f"The builds have different {what}: {'; '.join(seen)}." for what, seen in told.items() if len(seen) > 1]


def _row(report: Report, artifact: ArtifactRow) -> tuple[str, ...]:
    twin = next((a for a in report.artifacts if a.precision == "float32" and a.format == artifact.format), None)
    own, plain = artifact.p50, twin.p50 if twin else None
    ships = all(gate.passed for gate in report.gates if gate.artifact == artifact.name)
    return (
        report.name,
        artifact.name,
        "yes" if ships and report.verdict.ships else "no",
        megabytes(artifact.bytes),
        number(own, 2),
        number(own / plain if own and plain else None, 2),
        number(artifact.auc),
        signed(artifact.auc_delta),
        f"{integer(artifact.flips)} ({percent(artifact.flip_rate, 2)})",
        number(artifact.mean_abs_dp),
        artifact.certainty.sensitivity.verdict if artifact.certainty else wording.ABSENT,
    )
