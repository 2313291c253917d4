"""Several builds side by side: one table of their compressed files, in Markdown or as a page."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from melanoma_edge.errors import InputError
from melanoma_edge.report import wording
from melanoma_edge.report.document import SCHEMA_VERSION
from melanoma_edge.report.markdown import bullets, code, table, text
from melanoma_edge.report.wording import integer, megabytes, number, percent, signed

HEADS = ("build", "file", "ships", "size", "p50 ms", "by float's", "AUC", "ΔAUC", "flips", "mean Δp", "sensitivity")
REPORT = "report.json"


def read_report(folder: Path) -> dict[str, Any]:
    """The report of a build, shipped or withheld. Raises InputError when there is none that this version wrote."""
    try:
        report = json.loads((folder / REPORT).read_text())
    except (OSError, ValueError):
        raise InputError(f"{folder} holds no {REPORT}: name a folder that `melanoma-edge build` wrote") from None
    if not isinstance(report, dict) or report.get("schema_version") != SCHEMA_VERSION or "agreement" not in report:
        raise InputError(f"{folder / REPORT} was written by another version of melanoma-edge: build again")
    return report


def rows(reports: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row of HEADS for each compressed file of each build; cells are finished but for escaping."""
    return [_row(report, a) for report in reports for a in report["artifacts"] if a["precision"] != "float32"]


def render_comparison(reports: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: the table, and what the builds do not share, which is what they must not be compared by."""
    cells = [(text(row[0]), code(row[1]), *(text(cell) for cell in row[2:])) for row in rows(reports)]
    parts = ["## Builds side by side", table(HEADS, cells, words=3), bullets(differences(reports))]
    return "\n\n".join(part for part in parts if part) + "\n"


def differences(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences on what makes figures of two builds incomparable: other images, another rule, another machine."""
    found = {
        "test images": [f"{r['data']['name']}, {r['reference']['n']} images" for r in reports],
        "operating points": [str(r["operating_point"]["rule"]) for r in reports],
        "machines": [str((r["bench"].get("machine") or {}).get("processor")) for r in reports],
    }
    told = {what: list(dict.fromkeys(values)) for what, values in found.items()}
    return [f"The builds have different {what}: {'; '.join(seen)}." for what, seen in told.items() if len(seen) > 1]


def _row(report: Mapping[str, Any], artifact: Mapping[str, Any]) -> tuple[str, ...]:
    own = (artifact["latency_ms"] or {}).get("p50")
    twins = (a for a in report["artifacts"] if a["precision"] == "float32" and a["format"] == artifact["format"])
    twin: Mapping[str, Any] = next(twins, {})
    plain = (twin.get("latency_ms") or {}).get("p50")
    ships = all(g["passed"] for g in report["gates"] if g["artifact"] == artifact["name"])
    certainty = artifact.get("certainty") or {}
    verdict = (certainty.get("sensitivity") or {}).get("verdict") or wording.ABSENT
    return (
        str(report["name"]),
        str(artifact["name"]),
        "yes" if ships and report["verdict"]["ships"] else "no",
        megabytes(artifact["bytes"]),
        number(own, 2),
        number(own / plain if own and plain else None, 2),
        number(artifact["auc"]),
        signed(artifact["auc_delta"]),
        f"{integer(artifact['flips'])} ({percent(artifact['flip_rate'], 2)})",
        number(artifact["mean_abs_dp"]),
        verdict,
    )
