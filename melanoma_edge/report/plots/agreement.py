"""How far the files' probabilities lie from the reference's."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from melanoma_edge.report import wording
from melanoma_edge.report.plots.svg import DASHES, INK, MUTED, SERIES, rows, svg


def bland_altman(report: Mapping[str, Any]) -> Markup:
    """Differences of the probabilities over their means, a panel a compressed file, with the limits of agreement."""
    small = [row for row in rows(report)[1:] if row.get("bland_altman") and row["precision"] != "float32"]
    down = -(-len(small) // 2)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, 2, squeeze=False, sharey=True).ravel()
        for panel, row in zip(panels, small, strict=False):
            _differences(panel, row, report["operating_point"]["threshold"])
        for panel in panels[len(small) :]:
            panel.set_visible(False)

    said = "; ".join(
        f"{row['name']}: mean {wording.signed(row['bland_altman']['bias'])}, limits of agreement "
        f"{wording.signed(row['bland_altman']['low'])} to {wording.signed(row['bland_altman']['high'])}"
        for row in small
    )
    return svg("bland-altman", draw, 3.1 * down, f"Bland-Altman plots of the probabilities. {said}.")


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
