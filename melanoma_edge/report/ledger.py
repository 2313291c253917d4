"""The images whose decision changed, the missed melanomas first."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AWAY = "melanoma->other"
COLUMNS = (
    *("image_id", "artifact", "label", "diagnosis", "p_reference", "p_artifact"),
    *("decision_reference", "decision_artifact", "direction"),
)
SHOWN = 48  # images on the page; report.json has them all


@dataclass(frozen=True)
class Change:
    """What one artifact decided otherwise than the reference. `p` is None when it answered with no number."""

    artifact: str
    p: float | None
    direction: str


@dataclass(frozen=True)
class Entry:
    """One image, its true label, and every artifact that decided otherwise on it."""

    image_id: str
    label: str
    diagnosis: str
    melanoma: bool
    p_reference: float | None
    changes: tuple[Change, ...]

    @property
    def away(self) -> bool:
        """The reference says melanoma and an artifact does not."""
        return any(change.direction == AWAY for change in self.changes)

    @property
    def missed(self) -> bool:
        """A melanoma that the reference finds and an artifact does not."""
        return self.melanoma and self.away

    @property
    def moved(self) -> float:
        """The largest change of probability; 0 where there is no number."""
        p = self.p_reference
        return max(0.0 if p is None or change.p is None else abs(change.p - p) for change in self.changes)


def entries(report: Mapping[str, Any]) -> list[Entry]:
    """One entry an image: missed melanomas first, then other flips away from melanoma, then the rest.

    Within each, the image that moved most comes first.
    """
    task = report["build"]["task"]
    melanoma = task["classes"][task["melanoma"]]
    by_image: dict[str, list[Mapping[str, Any]]] = {}
    for flip in report["flips"]:
        by_image.setdefault(str(flip["image_id"]), []).append(flip)
    found = [_entry(flips, melanoma) for flips in by_image.values()]
    return sorted(found, key=lambda entry: (not entry.missed, not entry.away, -entry.moved, entry.image_id))


def render_csv(report: Mapping[str, Any]) -> str:
    """Every changed decision as a row, in the order of report.json: what a spreadsheet opens."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for flip in report["flips"]:
        before, _, after = str(flip["direction"]).partition("->")
        decisions = [before, after] if after else ["", ""]
        told = [flip[key] for key in ("image_id", "artifact", "label")] + [flip.get("diagnosis") or ""]
        writer.writerow([*told, flip["p_reference"], flip["p_artifact"], *decisions, flip["direction"]])
    return text.getvalue()


def pictured(report: Mapping[str, Any], shown: int = SHOWN) -> list[str]:
    """Ids of the images that the page shows, at most `shown`: those whose thumbnails are worth making."""
    return [entry.image_id for entry in entries(report)[:shown]]


def _entry(flips: Sequence[Mapping[str, Any]], melanoma: str) -> Entry:
    first = flips[0]
    changes = tuple(Change(flip["artifact"], flip["p_artifact"], flip["direction"]) for flip in flips)
    label, diagnosis = str(first["label"]), str(first.get("diagnosis") or "")
    return Entry(str(first["image_id"]), label, diagnosis, label == melanoma, first["p_reference"], changes)
