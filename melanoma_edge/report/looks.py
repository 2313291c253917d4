"""Where the reference and a file look, image by image, grouped by how the reference decides."""

from dataclasses import dataclass

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.verify.heat_maps import MapCase

TITLES = {
    "true positive": "Melanomas that the reference finds",
    "false negative": "Melanomas that the reference misses",
    "false positive": "Others that the reference takes for melanoma",
    "true negative": "Others that the reference lets be",
}
PHOTOGRAPH, REFERENCE = "", "reference"  # names of pictures; further ones are files


@dataclass(frozen=True)
class View:
    """One picture of an image, named as in `overlays`. p: what the network says; None for the photograph."""

    name: str
    caption: str
    alt: str
    p: float | None


@dataclass(frozen=True)
class Look:
    """One image: what it is, and its pictures."""

    image_id: str
    told: str
    correlation: float | None
    views: tuple[View, ...]


def groups(report: Report) -> list[tuple[str, list[Look]]]:
    """A title for each outcome, misses after finds, with its images; [] for a build without heat maps."""
    maps = report.heat_maps
    if not maps:
        return []
    looks = [(case.outcome, _look(case, maps.drawn)) for case in maps.cases]
    found = [(title, [look for outcome, look in looks if outcome == name]) for name, title in TITLES.items()]
    return [(title, own) for title, own in found if own]


def _look(case: MapCase, drawn: str | None) -> Look:
    told = wording.plain(case.diagnosis or case.label, 40)
    image, label = wording.plain(case.image_id), wording.plain(case.label, 40)
    views = [
        View(PHOTOGRAPH, "image", f"Test image {image}, truly {label}", None),
        View(REFERENCE, "reference", _alt("the reference", image, case.p_reference), case.p_reference),
    ]
    if drawn is not None:
        views.append(View(drawn, "compressed file", _alt(drawn, image, case.p_artifact), case.p_artifact))
    return Look(case.image_id, told, case.correlation, tuple(views))


def _alt(network: str, image: str, p: float | None) -> str:
    """What a picture shows, for those who do not see it."""
    return f"Heat map of {wording.plain(network)} over {image}; probability of melanoma {wording.number(p, 3)}"
