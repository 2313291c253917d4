"""What the files cost: size and latency."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from melanoma_edge.bench.document import BenchRow
from melanoma_edge.report import view, wording
from melanoma_edge.report.document import Report
from melanoma_edge.report.plots.svg import ACCENT, INK, SERIES, beside, rows, svg


def cost(report: Report) -> Markup:
    """Size and latency of each file as bars: p50 filled, a whisker to p90 and p99, one bar a thread count."""
    timed = [row for row in rows(report) if row.latency or row.bytes]
    threads = sorted({timing.threads for row in timed for timing in row.latency})

    limit = _longest([timing for row in timed for timing in row.latency])

    def draw(figure: Figure) -> None:
        size, latency = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (2, 3)})
        for i, row in enumerate(timed):
            if row.bytes:
                size.barh(i, row.bytes / 1e6, 0.5, color=ACCENT)
                beside(size, f"{row.bytes / 1e6:.2f}", row.bytes / 1e6, i)
            for timing in row.latency:
                _timing(latency, i, timing, threads, limit)
        size.set(title="Size, MB", yticks=range(len(timed)), yticklabels=[wording.plain(r.name, 34) for r in timed])
        size.tick_params(axis="y", labelcolor=INK)
        size.margins(x=0.16)
        size.invert_yaxis()
        latency.set(title="Latency of one image, ms", xlim=(0, 1.12 * limit))
        handles = [Patch(color=SERIES[i % len(SERIES)], alpha=0.85) for i in range(len(threads))]
        names = [view.threads(n) for n in threads]
        latency.legend(handles, names, loc="lower left", bbox_to_anchor=(0.45, 1.0), ncols=4, fontsize=8)
        for axes in (size, latency):
            axes.grid(visible=False, axis="y")

    height = 0.9 + 0.42 * len(timed)
    return svg("cost", draw, height, "Size and latency of each file as bars; the table above has the figures.")


def _longest(timings: Sequence[BenchRow]) -> float:
    """Where the latency axis ends: the largest p99, but not so far that one disturbed run hides all the bars."""
    p50, p99 = (max((getattr(timing, key) for timing in timings), default=0.0) for key in ("p50", "p99"))
    return min(max(p50, p99), 2.5 * p50) or 1.0


def _timing(axes: Axes, row: int, timing: BenchRow, threads: Sequence[int], limit: float) -> None:
    """A bar to the median, a line to p99 with ticks at p90 and p99, an arrow where it goes beyond `limit`."""
    height = 0.7 / len(threads)
    i = threads.index(timing.threads)
    y = row + (i - (len(threads) - 1) / 2) * height
    colour = SERIES[i % len(SERIES)]
    axes.barh(y, timing.p50 or 0, height * 0.86, color=colour, alpha=0.85)
    if timing.p50 is None or timing.p99 is None:
        return
    end = min(timing.p99, limit)
    axes.plot([timing.p50, end], [y, y], color=INK, linewidth=0.9)
    ticks = [value for value in (timing.p90, timing.p99) if value <= limit]
    axes.plot(ticks, [y] * len(ticks), color=INK, linestyle="none", marker="|", markersize=5)
    if timing.p99 > limit:
        axes.plot(end, y, color=INK, marker=">", markersize=4)
    beside(axes, f"{timing.p50:.2f}", end, y)
