"""Figures as inline SVG, drawn by matplotlib in the page's own colours: CSS variables, so that dark mode just works.

Equal inputs give equal bytes: no dates, no creator, ids salted with the figure's name.
"""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.verify.document import ArtifactRow, ReferenceRow

INK, MUTED, RULE, PAPER, ACCENT = "#010101", "#010102", "#010103", "#010104", "#010105"
SERIES = ("#010111", "#010112", "#010113", "#010114", "#010115", "#010116")
VARIABLES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", ACCENT: "accent"}
VARIABLES |= {colour: f"series-{i + 1}" for i, colour in enumerate(SERIES)}
DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)), (0, (3, 3)))
STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a class called "$x$" is a name, not a formula
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
Row = ReferenceRow | ArtifactRow
WIDTH = 9.4  # inches; one is 72 units of the SVG


def svg(name: str, draw: Callable[[Figure], None], height: float, alt: str) -> Markup:
    """Draw on a new figure of `height` inches and return it as `<svg>`. alt: what it shows, in words."""
    settings: dict[Any, Any] = {**STYLE, "svg.hashsalt": name}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    body = svg[svg.index(">", svg.index("<svg")) + 1 :].strip()
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # ids like "axes_1" would stand twice in the page
    body = body.replace("font-family: 'DejaVu Sans'; ", "")
    body = re.sub(r": (#0101[01][0-9a-f])", lambda m: f": var(--{VARIABLES.get(m[1], 'ink')})", body)
    box = f'viewBox="0 0 {WIDTH * 72:.5g} {height * 72:.5g}"'
    head = f'<svg {box} role="img" aria-labelledby="{name}-alt"><title id="{name}-alt">{escape(alt)}</title>'
    return Markup(head + body)


def rows(report: Report) -> list[Row]:
    """The reference and every artifact, under short names."""
    names = wording.short_names([row.name for row in report.artifacts])
    return [report.reference, *(replace(row, name=names[row.name]) for row in report.artifacts)]


def beside(axes: Axes, text: str, x: float, y: float) -> None:
    """A bar's figure, a little to the right of its end."""
    axes.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=7.5)


def nan(value: float | None) -> float:
    """None as NaN, which matplotlib leaves out."""
    return float("nan") if value is None else value
