"""What a training went through, epoch by epoch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from melanoma_edge.document import by_name
from melanoma_edge.options import TrainOptions

TRAINED = "train.json"  # the report in the folder of a training


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

    __getitem__ = by_name


@dataclass(frozen=True)
class TrainingReport:
    """What a training leaves beside the weights. epochs: how many were run; best_epoch: the one whose weights are kept.

    val_auc: of that one. seconds: of all epochs together. device, precision: that `options` came to on the machine.
    """

    arch: str
    parameters: int
    epochs: int
    best_epoch: int
    val_auc: float
    train_images: int
    val_images: int
    seconds: float
    device: str
    precision: str
    options: TrainOptions
    seed: int
    history: tuple[Epoch, ...]

    __getitem__ = by_name


def best(epochs: Sequence[Epoch]) -> Epoch:
    """The epoch whose weights are kept: the first with the highest validation AUC."""
    return max(epochs, key=lambda row: row.val_auc)


def to_csv(epochs: Sequence[Epoch]) -> str:
    """The rows under a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in epochs)
    return text.getvalue()
