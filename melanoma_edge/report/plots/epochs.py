"""How the network was trained."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.figure import Figure

from melanoma_edge.report.plots.svg import DASHES, MUTED, RULE, SERIES, nan, svg
from melanoma_edge.train.history import Epoch


def training(history: Sequence[Epoch], best_epoch: int | None) -> Markup:
    """Losses and validation AUC over the epochs, with the frozen epochs shaded and the best one marked."""
    epochs = [row.epoch for row in history]
    frozen = [row.epoch for row in history if str(row.phase).startswith(("frozen", "head"))]

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
            values = [nan(getattr(row, key)) for row in history]
            loss.plot(epochs, values, color=SERIES[i], linestyle=DASHES[i], marker="o", markersize=3, label=name)
        loss.set(title="Cross entropy")
        loss.legend(fontsize=8)
        auc.plot(epochs, [nan(row.val_auc) for row in history], color=SERIES[0], marker="o", markersize=3)
        auc.set(title="Validation AUC")

    best = f" The best epoch is {best_epoch}." if best_epoch is not None else ""
    return svg("training", draw, 3.0, f"Loss and validation AUC over {len(epochs)} epochs.{best}")
