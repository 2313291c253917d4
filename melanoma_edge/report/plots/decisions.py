"""How the files decide: ROC curves and confusion matrices."""

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.plots.svg import ACCENT, DASHES, INK, MUTED, PAPER, RULE, SERIES, Row, nan, rows, svg

ACROSS = 5  # confusion matrices in a row
ZOOM = 0.12  # half the side of the square around the operating point


def roc(report: Report) -> Markup:
    """ROC curves of the reference and every artifact, whole and around the operating point."""
    curves = [row for row in rows(report) if row.roc]

    def draw(figure: Figure) -> None:
        whole, near = figure.subplots(1, 2)
        for axes in (whole, near):
            for i, row in enumerate(curves):
                _curve(axes, row, i)
            axes.set(xlabel=f"1 {wording.MINUS} specificity", ylabel="sensitivity", aspect="equal")
        whole.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
        whole.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03), title="ROC")
        whole.legend(loc="lower right", fontsize=8)
        _look_near(near, report.reference)

    named = "; ".join(f"{row.name} AUC {wording.number(row.auc)}" for row in curves)
    return svg("roc", draw, 4.6, f"ROC curves of the reference and of each file, nearly on top of each other. {named}.")


def confusion(report: Report) -> Markup:
    """One confusion matrix for the reference and each artifact, shaded by the share of its true class."""
    judged = [row for row in rows(report) if row.confusion]
    down = -(-len(judged) // ACROSS)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, ACROSS, squeeze=False).ravel()
        for i, (panel, row) in enumerate(zip(panels, judged, strict=False)):
            _matrix(panel, row, first=i % ACROSS == 0)
        for panel in panels[len(judged) :]:
            panel.set_visible(False)

    said = "; ".join(
        f"{row.name}: {row.confusion.tp} melanomas found, {row.confusion.fn} missed, "
        f"{row.confusion.tn} others cleared, {row.confusion.fp} called melanoma"
        for row in judged
    )
    return svg("confusion", draw, 2.1 * down, f"Confusion matrices at the operating point. {said}.")


def _curve(axes: Axes, row: Row, i: int) -> None:
    """The reference is a broad pale band, so that the artifacts' thin lines show where they leave it."""
    label = f"{wording.plain(row.name, 34)}  {wording.number(row.auc)}"
    colour, dash = (SERIES[(i - 1) % len(SERIES)], DASHES[(i - 1) % len(DASHES)]) if i else (INK, "solid")
    width, opacity = (1.4, 1.0) if i else (6.0, 0.22)
    fpr, tpr = [nan(v) for v in row.roc.fpr], [nan(v) for v in row.roc.tpr]
    axes.plot(fpr, tpr, linestyle=dash, label=label, color=colour, linewidth=width, alpha=opacity)
    if row.sensitivity is not None and row.specificity is not None:
        face, size = (colour, 4.5) if i else (PAPER, 9.0)
        x, y = 1 - row.specificity, row.sensitivity
        axes.plot(x, y, marker="o", markersize=size, color=colour, markerfacecolor=face, zorder=4)


def _look_near(axes: Axes, reference: Row) -> None:
    """Frame the operating point of the reference."""
    x, y = 1 - (reference.specificity or 0.0), reference.sensitivity or 0.0
    x, y = min(max(x, ZOOM), 1 - ZOOM), min(max(y, ZOOM), 1 - ZOOM)
    axes.set(xlim=(x - ZOOM, x + ZOOM), ylim=(y - ZOOM, y + ZOOM + 0.01), title="At the operating point")


def _matrix(axes: Axes, row: Row, *, first: bool) -> None:
    """2 x 2 counts, true class down and decision across; the first of a row names the classes."""
    counts = row.confusion
    cells = ((counts.tn, counts.fp), (counts.fn, counts.tp))
    for y, pair in enumerate(cells):
        for x, count in enumerate(pair):
            share = count / max(sum(pair), 1)
            axes.add_patch(Rectangle((x, y), 0.97, 0.97, color=ACCENT, alpha=0.08 + 0.4 * share, linewidth=0))
            axes.text(x + 0.5, y + 0.42, f"{count:,}", ha="center", va="center", fontsize=11, weight="bold")
            axes.text(x + 0.5, y + 0.72, f"{share:.1%}", ha="center", va="center", fontsize=7.5, color=MUTED)
    axes.set(xlim=(0, 2), ylim=(2, 0), aspect="equal", title=wording.plain(row.name, 22))
    axes.set_xticks([0.5, 1.5], ["other", "melanoma"])
    axes.set_yticks([0.5, 1.5], ["truly other", "truly mel."] if first else ["", ""], rotation=90, va="center")
    axes.set(xlabel="decided")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
