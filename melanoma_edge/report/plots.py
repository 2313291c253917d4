"""Figures as inline SVG, drawn by matplotlib in the page's own colours: CSS variables, so that dark mode just works.

Equal inputs give equal bytes: no dates, no creator, ids salted with the figure's name.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from melanoma_edge.report import view, wording
from melanoma_edge.report.robustness import panels, reference_sentence

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
WIDTH = 9.4  # inches; one is 72 units of the SVG
ACROSS = 5  # confusion matrices in a row
ZOOM = 0.12  # half the side of the square around the operating point


def roc(report: Mapping[str, Any]) -> Markup:
    """ROC curves of the reference and every artifact, whole and around the operating point."""
    curves = [row for row in _rows(report) if row.get("roc")]

    def draw(figure: Figure) -> None:
        whole, near = figure.subplots(1, 2)
        for axes in (whole, near):
            for i, row in enumerate(curves):
                _curve(axes, row, i)
            axes.set(xlabel=f"1 {wording.MINUS} specificity", ylabel="sensitivity", aspect="equal")
        whole.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
        whole.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03), title="ROC")
        whole.legend(loc="lower right", fontsize=8)
        _look_near(near, report["reference"])

    named = "; ".join(f"{row['name']} AUC {wording.number(row['auc'])}" for row in curves)
    return _svg(
        "roc", draw, 4.6, f"ROC curves of the reference and of each file, nearly on top of each other. {named}."
    )


def bland_altman(report: Mapping[str, Any]) -> Markup:
    """Differences of the probabilities over their means, a panel a compressed file, with the limits of agreement."""
    rows = [row for row in _rows(report)[1:] if row.get("bland_altman") and row["precision"] != "float32"]
    down = -(-len(rows) // 2)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, 2, squeeze=False, sharey=True).ravel()
        for panel, row in zip(panels, rows, strict=False):
            _differences(panel, row, report["operating_point"]["threshold"])
        for panel in panels[len(rows) :]:
            panel.set_visible(False)

    said = "; ".join(
        f"{row['name']}: mean {wording.signed(row['bland_altman']['bias'])}, limits of agreement "
        f"{wording.signed(row['bland_altman']['low'])} to {wording.signed(row['bland_altman']['high'])}"
        for row in rows
    )
    return _svg("bland-altman", draw, 3.1 * down, f"Bland-Altman plots of the probabilities. {said}.")


def confusion(report: Mapping[str, Any]) -> Markup:
    """One confusion matrix for the reference and each artifact, shaded by the share of its true class."""
    rows = [row for row in _rows(report) if row.get("confusion")]
    down = -(-len(rows) // ACROSS)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, ACROSS, squeeze=False).ravel()
        for i, (panel, row) in enumerate(zip(panels, rows, strict=False)):
            _matrix(panel, row, first=i % ACROSS == 0)
        for panel in panels[len(rows) :]:
            panel.set_visible(False)

    said = "; ".join(
        f"{row['name']}: {row['confusion']['tp']} melanomas found, {row['confusion']['fn']} missed, "
        f"{row['confusion']['tn']} others cleared, {row['confusion']['fp']} called melanoma"
        for row in rows
    )
    return _svg("confusion", draw, 2.1 * down, f"Confusion matrices at the operating point. {said}.")


def cost(report: Mapping[str, Any]) -> Markup:
    """Size and latency of each file as bars: p50 filled, a whisker to p90 and p99, one bar a thread count."""
    rows = [row for row in _rows(report) if row["latency"] or row["bytes"]]
    threads = sorted({timing["threads"] for row in rows for timing in row["latency"]})

    limit = _longest([timing for row in rows for timing in row["latency"]])

    def draw(figure: Figure) -> None:
        size, latency = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (2, 3)})
        for i, row in enumerate(rows):
            if row["bytes"]:
                size.barh(i, row["bytes"] / 1e6, 0.5, color=ACCENT)
                _beside(size, f"{row['bytes'] / 1e6:.2f}", row["bytes"] / 1e6, i)
            for timing in row["latency"]:
                _timing(latency, i, timing, threads, limit)
        size.set(title="Size, MB", yticks=range(len(rows)), yticklabels=[wording.plain(r["name"], 34) for r in rows])
        size.tick_params(axis="y", labelcolor=INK)
        size.margins(x=0.16)
        size.invert_yaxis()
        latency.set(title="Latency of one image, ms", xlim=(0, 1.12 * limit))
        handles = [Patch(color=SERIES[i % len(SERIES)], alpha=0.85) for i in range(len(threads))]
        names = [view.threads(n) for n in threads]
        latency.legend(handles, names, loc="lower left", bbox_to_anchor=(0.45, 1.0), ncols=4, fontsize=8)
        for axes in (size, latency):
            axes.grid(visible=False, axis="y")

    height = 0.9 + 0.42 * len(rows)
    return _svg("cost", draw, height, "Size and latency of each file as bars; the table above has the figures.")


def robustness(report: Mapping[str, Any]) -> Markup:
    """Mean change of the probability under changed photographs, a panel a kind: the reference and compressed files."""
    names = [row["name"] for row in report["artifacts"] if row["precision"] != "float32"]
    short = wording.short_names([row["name"] for row in report["artifacts"]])
    drawn = panels(report["robustness"], names)

    def draw(figure: Figure) -> None:
        for axes, panel in zip(figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0], drawn, strict=True):
            places = range(len(panel["strengths"]))
            reference = [_nan(v) for v in panel["reference"]]
            axes.plot(places, reference, color=INK, linewidth=6, alpha=0.22, label="reference")
            for i, (name, values) in enumerate(panel["files"].items()):
                style = {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)]}
                axes.plot(places, [_nan(v) for v in values], label=short[name], marker="o", markersize=3, **style)
            axes.set(title=panel["title"], xlabel=panel["unit"], ylim=(0, None))
            axes.set_xticks(places, panel["strengths"])
        figure.axes[0].set_ylabel("mean |Δp|")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)

    said = reference_sentence(report["robustness"])
    return _svg("robustness", draw, 2.9, f"Mean change of the probability under changed photographs. {said}")


def training(history: Sequence[Mapping[str, Any]], best_epoch: int | None) -> Markup:
    """Losses and validation AUC over the epochs, with the frozen epochs shaded and the best one marked."""
    epochs = [row["epoch"] for row in history]
    frozen = [row["epoch"] for row in history if str(row["phase"]).startswith(("frozen", "head"))]

    def draw(figure: Figure) -> None:
        loss, auc = figure.subplots(1, 2)
        for axes in (loss, auc):
            axes.set(xlabel="epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            if frozen and len(frozen) < len(epochs):
                axes.axvspan(min(frozen) - 0.5, max(frozen) + 0.5, color=RULE, alpha=0.45, linewidth=0, zorder=0)
            if best_epoch is not None:
                axes.axvline(best_epoch, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
        for i, (key, name) in enumerate((("train_loss", "training"), ("val_loss", "validation"))):
            values = [_nan(row[key]) for row in history]
            loss.plot(epochs, values, color=SERIES[i], linestyle=DASHES[i], marker="o", markersize=3, label=name)
        loss.set(title="Cross entropy")
        loss.legend(fontsize=8)
        auc.plot(epochs, [_nan(row["val_auc"]) for row in history], color=SERIES[0], marker="o", markersize=3)
        auc.set(title="Validation AUC")

    best = f" The best epoch is {best_epoch}." if best_epoch is not None else ""
    return _svg("training", draw, 3.0, f"Loss and validation AUC over {len(epochs)} epochs.{best}")


def _rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = wording.short_names([row["name"] for row in report["artifacts"]])
    artifacts = [{**row, "name": names[row["name"]]} for row in report["artifacts"]]
    return [{**report["reference"], "name": "reference"}, *artifacts]


def _curve(axes: Axes, row: Mapping[str, Any], i: int) -> None:
    """The reference is a broad pale band, so that the artifacts' thin lines show where they leave it."""
    label = f"{wording.plain(row['name'], 34)}  {wording.number(row['auc'])}"
    colour, dash = (SERIES[(i - 1) % len(SERIES)], DASHES[(i - 1) % len(DASHES)]) if i else (INK, "solid")
    width, opacity = (1.4, 1.0) if i else (6.0, 0.22)
    curve: Mapping[str, list[float]] = row["roc"]
    axes.plot(curve["fpr"], curve["tpr"], linestyle=dash, label=label, color=colour, linewidth=width, alpha=opacity)
    if row["sensitivity"] is not None and row["specificity"] is not None:
        face, size = (colour, 4.5) if i else (PAPER, 9.0)
        x, y = 1 - row["specificity"], row["sensitivity"]
        axes.plot(x, y, marker="o", markersize=size, color=colour, markerfacecolor=face, zorder=4)


def _differences(axes: Axes, row: Mapping[str, Any], threshold: float) -> None:
    """A dot an image; lines at the mean difference and the limits of agreement, with their figures at the right."""
    found = row["bland_altman"]
    if found["points"]:
        x, y = zip(*found["points"], strict=True)
        axes.scatter(x, y, s=7, color=SERIES[0], alpha=0.45, linewidth=0)
    axes.axvline(threshold, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    for key, dash in (("low", DASHES[1]), ("bias", "solid"), ("high", DASHES[1])):
        if found[key] is not None:
            axes.axhline(found[key], color=INK, linewidth=1, linestyle=dash)
            where = (1.0, found[key])
            text = wording.signed(found[key])
            axes.annotate(text, where, (3, 0), axes.get_yaxis_transform(), "offset points", va="center", fontsize=7.5)
    axes.set(xlabel="mean of both probabilities", title=wording.plain(row["name"], 34), xlim=(-0.02, 1.02))
    axes.set(ylabel=f"file {wording.MINUS} reference")


def _look_near(axes: Axes, reference: Mapping[str, Any]) -> None:
    """Frame the operating point of the reference."""
    x, y = 1 - (reference["specificity"] or 0.0), reference["sensitivity"] or 0.0
    x, y = min(max(x, ZOOM), 1 - ZOOM), min(max(y, ZOOM), 1 - ZOOM)
    axes.set(xlim=(x - ZOOM, x + ZOOM), ylim=(y - ZOOM, y + ZOOM + 0.01), title="At the operating point")


def _matrix(axes: Axes, row: Mapping[str, Any], *, first: bool) -> None:
    """2 x 2 counts, true class down and decision across; the first of a row names the classes."""
    counts: Mapping[str, int] = row["confusion"]
    cells = ((counts["tn"], counts["fp"]), (counts["fn"], counts["tp"]))
    for y, pair in enumerate(cells):
        for x, count in enumerate(pair):
            share = count / max(sum(pair), 1)
            axes.add_patch(Rectangle((x, y), 0.97, 0.97, color=ACCENT, alpha=0.08 + 0.4 * share, linewidth=0))
            axes.text(x + 0.5, y + 0.42, f"{count:,}", ha="center", va="center", fontsize=11, weight="bold")
            axes.text(x + 0.5, y + 0.72, f"{share:.1%}", ha="center", va="center", fontsize=7.5, color=MUTED)
    axes.set(xlim=(0, 2), ylim=(2, 0), aspect="equal", title=wording.plain(row["name"], 22))
    axes.set_xticks([0.5, 1.5], ["other", "melanoma"])
    axes.set_yticks([0.5, 1.5], ["truly other", "truly mel."] if first else ["", ""], rotation=90, va="center")
    axes.set(xlabel="decided")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _longest(timings: Sequence[Mapping[str, Any]]) -> float:
    """Where the latency axis ends: the largest p99, but not so far that one disturbed run hides all the bars."""
    p50, p99 = (max((timing[key] or 0.0 for timing in timings), default=0.0) for key in ("p50", "p99"))
    return min(max(p50, p99), 2.5 * p50) or 1.0


def _timing(axes: Axes, row: int, timing: Mapping[str, Any], threads: Sequence[int], limit: float) -> None:
    """A bar to the median, a line to p99 with ticks at p90 and p99, an arrow where it goes beyond `limit`."""
    height = 0.7 / len(threads)
    i = threads.index(timing["threads"])
    y = row + (i - (len(threads) - 1) / 2) * height
    colour = SERIES[i % len(SERIES)]
    axes.barh(y, timing["p50"] or 0, height * 0.86, color=colour, alpha=0.85)
    if timing["p50"] is None or timing["p99"] is None:
        return
    end = min(timing["p99"], limit)
    axes.plot([timing["p50"], end], [y, y], color=INK, linewidth=0.9)
    ticks = [value for value in (timing["p90"], timing["p99"]) if value <= limit]
    axes.plot(ticks, [y] * len(ticks), color=INK, linestyle="none", marker="|", markersize=5)
    if timing["p99"] > limit:
        axes.plot(end, y, color=INK, marker=">", markersize=4)
    _beside(axes, f"{timing['p50']:.2f}", end, y)


def _beside(axes: Axes, text: str, x: float, y: float) -> None:
    """A bar's figure, a little to the right of its end."""
    axes.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=7.5)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _svg(name: str, draw: Callable[[Figure], None], height: float, alt: str) -> Markup:
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
