"""What a training went through, epoch by epoch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Epoch:
    """One row of `history.csv`, `epoch` from 1. Losses are mean cross entropies, `lr` the rate of the last batch."""

    epoch: int
    phase: str
    lr: float
    train_loss: float
    val_loss: float
    val_auc: float
    seconds: float


@dataclass(frozen=True)
class History:
    """All epochs, and where and how they ran."""

    epochs: tuple[Epoch, ...]
    device: str
    precision: str

    @property
    def best(self) -> Epoch:
        """The epoch whose weights are kept: the first with the highest validation AUC."""
        return max(self.epochs, key=lambda row: row.val_auc)


def to_csv(epochs: Sequence[Epoch]) -> str:
    """The rows under a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in epochs)
    return text.getvalue()
