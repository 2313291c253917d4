"""What the report says of changed photographs: the sentences, and the rows of its tables."""

from collections.abc import Sequence
from typing import Any

from melanoma_edge.report import wording
from melanoma_edge.verify.robustness import Change, RobustnessReport

KINDS = {"blur": "blur", "jpeg": "JPEG", "brightness": "exposure", "zoom": "distance", "noise": "noise"}


def change_title(row: Change) -> str:
    """A change in words: `blur, 0.5 % of the side`."""
    kind = KINDS.get(row.kind, wording.plain(row.kind))
    if row.kind == "jpeg":
        return f"{kind}, quality {_strength(row)}"
    return f"{kind}, {_strength(row)} {wording.plain(row.unit)}"


def reference_sentence(robustness: RobustnessReport) -> str:
    """Which change moves the reference most, and how far."""
    worst = max(robustness.changes, key=lambda row: row.reference.mean_abs_dp or -1.0, default=None)
    if worst is None or worst.reference.mean_abs_dp is None:
        return "No change could be measured: the reference gave no numbers."
    moved = worst.reference
    return (
        f"The reference itself moves most under {change_title(worst)}: by {wording.number(moved.mean_abs_dp, 3)} on "
        f"average, by {wording.number(moved.max_abs_dp, 2)} on one image, and it changes its decision on "
        f"{moved.flips} of {robustness.images}."
    )


def file_sentence(robustness: RobustnessReport, name: str) -> str:
    """Whether a file moves with the reference, at worst."""
    rows = [(row, own) for row in robustness.changes for own in row.artifacts if own.name == name]
    rows = [(row, own) for row, own in rows if own.mean_abs_difference is not None]
    if not rows:
        return "It gave no numbers."
    row, own = max(rows, key=lambda pair: pair[1].mean_abs_difference or 0.0)
    apart = max(other.flips_apart for _, other in rows)
    still = next((u.flips_apart for u in robustness.unchanged if u.name == name), 0)
    together = f" (correlation {wording.number(own.correlation, 3)})" if own.correlation is not None else ""
    return (
        f"Its change is farthest from the reference’s under {change_title(row)}: "  # noqa: RUF001
        f"{wording.number(own.mean_abs_difference, 4)} apart on average{together}, where the reference moves by "
        f"{wording.number(row.reference.mean_abs_dp, 3)}. The two decide differently on at most {apart} of "
        f"{robustness.images} changed images, and on {still} unchanged ones."
    )


def file_rows(robustness: RobustnessReport, name: str) -> list[dict[str, Any]]:
    """A row a change: its title, what the reference did (`reference`), what the file did (`own`)."""
    return [
        {"title": change_title(row), "reference": row.reference, "own": own}
        for row in robustness.changes
        for own in row.artifacts
        if own.name == name
    ]


def panels(robustness: RobustnessReport, names: Sequence[str]) -> list[dict[str, Any]]:
    """For drawing, a panel a kind of change: strengths, and mean change of the reference and of each of `names`."""
    found = []
    for kind in dict.fromkeys(row.kind for row in robustness.changes):
        rows = [row for row in robustness.changes if row.kind == kind]
        own = [{one.name: one.mean_abs_dp for one in row.artifacts} for row in rows]
        found.append(
            {
                "title": KINDS.get(kind, wording.plain(kind)).capitalize() if kind != "jpeg" else "JPEG",
                "unit": wording.plain(rows[0].unit),
                "strengths": [_strength(row) for row in rows],
                "reference": [row.reference.mean_abs_dp for row in rows],
                "files": {name: [at.get(name) for at in own] for name in names},
            }
        )
    return found


def _strength(row: Change) -> str:
    return wording.ABSENT if row.strength is None else f"{row.strength:g}"
