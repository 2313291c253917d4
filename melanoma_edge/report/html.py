"""report.html: one file that opens from disk, loads nothing, and is read in five minutes."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from melanoma_edge.report import compare, ledger, looks, plots, robustness, view, wording
from melanoma_edge.report.document import Report

WORDING: tuple[Callable[..., Any], ...] = (
    wording.plain,
    wording.breakable,
    wording.number,
    wording.signed,
    wording.tiny,
    wording.figure_title,
    wording.interval,
    wording.interval_of_change,
    wording.ruling,
    wording.verdict_title,
    wording.percent,
    wording.skip_reason,
    wording.integer,
    wording.megabytes,
    wording.duration,
    wording.direction,
    wording.change,
    wording.gate_title,
    wording.gate_figure,
    wording.gate_notes,
)
VIEW: tuple[Callable[..., Any], ...] = (
    view.processor,
    view.device,
    view.used,
    view.threads,
    view.split_name,
    view.step,
    view.channels,
    robustness.reference_sentence,
    robustness.file_sentence,
    robustness.file_rows,
)


@dataclass(frozen=True)
class Section:
    """A part of the page, in the order of SECTIONS."""

    id: str
    title: str

    @property
    def template(self) -> str:
        """The file in `templates/` that draws it."""
        return f"{self.id}.html"


SECTIONS = (
    Section("verdict", "Verdict"),
    Section("comparison", "Side by side"),
    Section("certainty", "How sure"),
    Section("answering", "Calibration and refusal"),
    Section("plots", "In pictures"),
    Section("ledger", "Changed decisions"),
    Section("subgroups", "For whom"),
    Section("robustness", "Other photographs"),
    Section("heat_maps", "Where it looks"),
    Section("arm64", "On ARM64"),
    Section("tried", "INT8 recipes"),
    Section("data", "Data"),
    Section("training", "Training"),
    Section("provenance", "Provenance"),
    Section("limits", "Limits of use"),
)
PICTURED = ("ledger", "heat_maps")  # sections with photographs, which report.json does not hold
EXTRAS = ("certainty", "subgroups", "answering")  # sections that stand there when a compressed file has the figures


def render_html(
    report: Report,
    thumbnails: Mapping[str, bytes],
    overlays: Mapping[tuple[str, str], bytes] | None = None,
    shown: int = ledger.SHOWN,
) -> str:
    """The page for a document of `build_report`. Equal inputs give equal bytes.

    thumbnails: image id to JPEG bytes, for the images in the ledger; one that is missing shows as "no picture".
    overlays: likewise for the cases of "heat_maps", by image id and the name of the file whose map lies over it, ""
    for the photograph itself. shown: how many images of the ledger are drawn at most.
    """
    entries = ledger.entries(report)
    small = [row for row in report.artifacts if row.precision != "float32"]
    extras = {name: [row for row in small if row[name]] for name in EXTRAS}
    empty = {*(name for name in EXTRAS if not extras[name]), *([] if report.build.quantization else ["tried"])}
    drawn = entries[:shown]
    pictures = {e.image_id: _inline(thumbnails[e.image_id]) for e in drawn if e.image_id in thumbnails}
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            sections=[section for section in SECTIONS if section.id not in empty],
            figures=_figures(report),
            headline=view.headline(report),
            **extras,
            moving=small,
            answers=view.answering(report),
            threads=view.thread_counts(report),
            method=view.method(report.bench),
            timed=view.timed(report),
            prepared=view.prepared(report),
            provenance=view.provenance(report),
            margin=view.margin(report.reference.confusion),
            entries=entries,
            short=wording.short_names([row.name for row in report.artifacts]),
            missed=sum(entry.missed for entry in entries),
            shown=drawn,
            pictures=pictures,
            looks=looks.groups(report),
            overlays={key: _inline(data) for key, data in (overlays or {}).items()},
        )
    )


def with_pictures(page: str, former: str) -> str:
    """A page drawn without pictures, with those sections of a former page of the same build that hold some."""
    for name in PICTURED:
        own, before = (re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL) for text in (page, former))
        if own and before:
            page = page[: own.start()] + before[0] + page[own.end() :]
    return page


def render_comparison_page(reports: Sequence[Report]) -> str:
    """The page for several documents of `build_report`: one table of their compressed files."""
    template = _environment().get_template("compare.html")
    told = {"heads": compare.HEADS, "rows": compare.rows(reports), "differences": compare.differences(reports)}
    return template.render(told)


def _inline(jpeg: bytes) -> str:
    """A picture as a data URI that the page holds inside itself."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _figures(report: Report) -> dict[str, Markup]:
    figures = {"roc": plots.roc(report), "confusion": plots.confusion(report), "cost": plots.cost(report)}
    if any(row.bland_altman and row.precision != "float32" for row in report.artifacts):
        figures["bland_altman"] = plots.bland_altman(report)
    if report.robustness:
        figures["robustness"] = plots.robustness(report)
    if report.reference.answering:
        figures["answering"] = plots.answering(report)
    if report.training:
        figures["training"] = plots.training(report.training.history, report.training.best_epoch)
    return figures


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("melanoma_edge.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (*WORDING, *VIEW, _moment, _place)
    environment.filters.update({word.__name__.removeprefix("_"): word for word in words})
    environment.globals["mark"] = _mark
    return environment


def _mark(good: bool, otherwise: str = "×") -> Markup:  # noqa: RUF001
    """The sign before a check; the words beside it say the same."""
    return Markup('<span class="mark" aria-hidden="true">{}</span>').format("✓" if good else otherwise)


def _moment(created_utc: str) -> str:
    """`2026-11-21T11:47:00Z` as `21 November 2026, 11:47 UTC`; another form as it stands."""
    try:
        moment = datetime.fromisoformat(created_utc)
    except ValueError:
        return created_utc
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _place(p: float | None) -> float:
    """A probability as per cent of a track's width."""
    return round(100 * min(max(p or 0.0, 0.0), 1.0), 2)
