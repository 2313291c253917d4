"""The images whose decision changed, the missed melanomas first."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from melanoma_edge.report.document import Report
from melanoma_edge.verify.document import FlipRow

AWAY = "melanoma->other"
COLUMNS = (
    *("image_id", "artifact", "label", "diagnosis", "p_reference", "p_artifact"),
    *("decision_reference", "decision_artifact", "direction"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
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


def entries(report: Report) -> list[Entry]:
    """One entry an image: missed melanomas first, then other flips away from melanoma, then the rest.

    Within each, the image that moved most comes first.
    """
    task = report.build.task
    melanoma = task.classes[task.melanoma]
    by_image: dict[str, list[FlipRow]] = {}
    for flip in report.flips:
        by_image.setdefault(flip.image_id, []).append(flip)
    found = [_entry(flips, melanoma) for flips in by_image.values()]
    return sorted(found, key=lambda entry: (not entry.missed, not entry.away, -entry.moved, entry.image_id))


def render_csv(report: Report) -> str:
    """Every changed decision as a row, in the order of report.json: what a spreadsheet opens."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for flip in report.flips:
        before, _, after = flip.direction.partition("->")
        decisions = [before, after] if after else ["", ""]
        names = [_as_text(name) for name in (flip.image_id, flip.artifact, flip.label, flip.diagnosis or "")]
        writer.writerow([*names, flip.p_reference, flip.p_artifact, *decisions, flip.direction])
    return text.getvalue()


def _as_text(name: str) -> str:
    """A name that no spreadsheet computes: what begins like a formula gets an apostrophe (OWASP, CSV injection)."""
    return f"'{name}" if name.startswith(FORMULA) else name


def pictured(report: Report, shown: int = SHOWN) -> list[str]:
    """Ids of the images that the page shows, at most `shown`: those whose thumbnails are worth making."""
    return [entry.image_id for entry in entries(report)[:shown]]


def _entry(flips: Sequence[FlipRow], melanoma: str) -> Entry:
    first = flips[0]
    changes = tuple(Change(flip.artifact, flip.p_artifact, flip.direction) for flip in flips)
    label, diagnosis = first.label, first.diagnosis or ""
    return Entry(first.image_id, label, diagnosis, label == melanoma, first.p_reference, changes)
