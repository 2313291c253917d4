"""How far the files' probabilities lie from the reference's."""

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.plots.svg import DASHES, INK, MUTED, SERIES, svg
from melanoma_edge.verify.bland_altman import Agreement


def bland_altman(report: Report) -> Markup:
    """Differences of the probabilities over their means, a panel a compressed file, with the limits of agreement."""
    short = wording.short_names([row.name for row in report.artifacts])
    compressed = [row for row in report.artifacts if row.precision != "float32"]
    small = [(short[row.name], row.bland_altman) for row in compressed if row.bland_altman]
    down = -(-len(small) // 2)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, 2, squeeze=False, sharey=True).ravel()
        for panel, (name, found) in zip(panels, small, strict=False):
            _differences(panel, name, found, report.operating_point.threshold)
        for panel in panels[len(small) :]:
            panel.set_visible(False)

    said = "; ".join(
        f"{name}: mean {wording.signed(found.bias)}, limits of agreement "
        f"{wording.signed(found.low)} to {wording.signed(found.high)}"
        for name, found in small
    )
    return svg("bland-altman", draw, 3.1 * down, f"Bland-Altman plots of the probabilities. {said}.")


def _differences(axes: Axes, name: str, found: Agreement, threshold: float) -> None:
    """A dot an image; lines at the mean difference and the limits of agreement, with their figures at the right."""
    if found.points:
        x, y = zip(*found.points, strict=True)
        axes.scatter(x, y, s=7, color=SERIES[0], alpha=0.45, linewidth=0)
    axes.axvline(threshold, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    for height, dash in ((found.low, DASHES[1]), (found.bias, "solid"), (found.high, DASHES[1])):
        if height is not None:
            axes.axhline(height, color=INK, linewidth=1, linestyle=dash)
            text, place = wording.signed(height), axes.get_yaxis_transform()
            axes.annotate(text, (1.0, height), (3, 0), place, "offset points", va="center", fontsize=7.5)
    axes.set(xlabel="mean of both probabilities", title=wording.plain(name, 34), xlim=(-0.02, 1.02))
    axes.set(ylabel=f"file {wording.MINUS} reference")
