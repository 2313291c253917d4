"""Do probabilities mean what they say, and what is gained by saying "uncertain"? The reference beside every file."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.plots.svg import DASHES, INK, MUTED, RULE, SERIES, Row, nan, rows, svg
from melanoma_edge.verify.answering import Answering

Rows = Sequence[tuple[Row, Answering]]


def answering(report: Report) -> Markup:
    """The reliability diagram, and the accuracy on the images that are left when the most uncertain are refused."""
    networks = [(row, row.answering) for row in rows(report) if row.answering]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        _reliability(left, networks)
        _refusal(right, networks)
        if networks:
            right.legend(loc="lower right", fontsize=8)

    said = "; ".join(
        f"{row.name} ECE {wording.number(row.ece, 3)}, accuracy "
        f"{wording.percent(own.all.accuracy)} without and "
        f"{wording.percent(own.answered.accuracy)} with refusal"
        for row, own in networks
    )
    return svg("answering", draw, 4.6, f"Reliability, and accuracy against the share of refused images. {said}.")


def _reliability(axes: Axes, networks: Rows) -> None:
    """Share of melanomas against the mean probability of each bin; bars are the reference's share of images."""
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1.2, zorder=0)
    for i, (row, own) in enumerate(networks):
        bins = own.reliability
        filled = [b for b in bins if b.count]
        if not i:
            total, width = sum(b.count for b in bins), 1 / max(len(bins), 1)
            shares = [b.count / max(total, 1) for b in bins]
            axes.bar(
                [(n + 0.5) * width for n in range(len(bins))], shares, 0.9 * width, color=MUTED, alpha=0.3, zorder=0
            )
        across, up = ([nan(b[key]) for b in filled] for key in ("p", "melanomas"))
        _line(axes, across, up, i, row.name, dots=True)
    axes.set(xlabel="probability of melanoma", ylabel="share of melanomas", title="Reliability", aspect="equal")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03))


def _refusal(axes: Axes, networks: Rows) -> None:
    """Accuracy on what is left against the share refused; a dot where the threshold refuses."""
    for i, (row, own) in enumerate(networks):
        answered = own.answered
        across, up = ([nan(v) for v in own.curve[key]] for key in ("rejected", "accuracy"))
        _line(axes, across, up, i, row.name, dots=False)
        share = 1 - answered.n / max(own.all.n, 1)
        colour = SERIES[(i - 1) % len(SERIES)] if i else INK
        axes.plot(share, nan(answered.accuracy), marker="o", markersize=4.5 if i else 9, color=colour, zorder=4)
    axes.set(xlabel="share of the test images refused", ylabel="accuracy on the rest", title="Accuracy and refusal")


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], i: int, name: str, *, dots: bool) -> None:
    """The reference is a broad pale band, so that the files' thin lines show where they leave it."""
    (line,) = axes.plot(x, y, label=wording.plain(name, 34), marker="o" if dots and i else "", markersize=3)
    line.set(color=SERIES[(i - 1) % len(SERIES)] if i else INK, linestyle=DASHES[(i - 1) % len(DASHES)] if i else "-")
    line.set(linewidth=1.4 if i else 6.0, alpha=1.0 if i else 0.22)
