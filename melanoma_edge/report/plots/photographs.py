"""How far the answers move when the photograph is blurred, compressed, lit otherwise."""

from markupsafe import Markup
from matplotlib.figure import Figure

from melanoma_edge.report import wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.plots.svg import DASHES, INK, SERIES, nan, svg
from melanoma_edge.report.robustness import panels, reference_sentence


def robustness(report: Report) -> Markup:
    """Mean change of the probability under changed photographs, a panel a kind: the reference and compressed files.

    Nothing where it was not measured.
    """
    names = [row.name for row in report.artifacts if row.precision != "float32"]
    short = wording.short_names([row.name for row in report.artifacts])

    found = report.robustness
    if found is None:
        return Markup()
    drawn = panels(found, names)

    def draw(figure: Figure) -> None:
        for axes, panel in zip(figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0], drawn, strict=True):
            places = range(len(panel["strengths"]))
            reference = [nan(v) for v in panel["reference"]]
            axes.plot(places, reference, color=INK, linewidth=6, alpha=0.22, label="reference")
            for i, (name, values) in enumerate(panel["files"].items()):
                style = {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)]}
                axes.plot(places, [nan(v) for v in values], label=short[name], marker="o", markersize=3, **style)
            axes.set(title=panel["title"], xlabel=panel["unit"])
            axes.set_xticks(places, panel["strengths"])
        figure.axes[0].set_ylim(bottom=0)  # shared, and only now does it know every panel
        figure.axes[0].set_ylabel("mean |Δp|")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)

    said = reference_sentence(found)
    return svg("robustness", draw, 2.9, f"Mean change of the probability under changed photographs. {said}")
