"""The state of an interrupted training on disk: tensors and plain values, read without running any code."""

import io
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from melanoma_edge.artifact import write_atomic
from melanoma_edge.errors import InputError
from melanoma_edge.train.history import Epoch

NAME = "checkpoint.pt"
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class State:
    """A training between two epochs. history: the rows so far. best: weights of the best epoch.

    model, average, second: weights as they stand, of the second head where there is one. optimizer, scheduler, scaler:
    torch's own states of the phase.
    """

    history: tuple[Epoch, ...]
    best: Weights
    model: Weights
    average: Weights
    second: Weights | None
    optimizer: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    scaler: Mapping[str, Any]


def save(folder: Path, key: str, state: State) -> None:
    """Replace the folder's checkpoint, atomically. `key` names the training that it belongs to."""
    plain = {field.name: getattr(state, field.name) for field in fields(state)}
    buffer = io.BytesIO()
    torch.save({**plain, "key": key, "history": [asdict(row) for row in state.history]}, buffer)
    write_atomic(folder / NAME, buffer.getvalue())


def load(folder: Path, key: str) -> State | None:
    """The folder's checkpoint, None when there is none.

    Raises InputError when it is damaged or belongs to a training with other data or options.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        plain = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError):
        raise InputError(f"{path} is damaged: delete it to train from the start") from None
    if plain.pop("key", None) != key:
        raise InputError(f"{path} belongs to a training with other data or options: delete it, or use another folder")
    return State(**{**plain, "history": tuple(Epoch(**row) for row in plain["history"])})


def discard(folder: Path) -> None:
    """Remove the folder's checkpoint."""
    (folder / NAME).unlink(missing_ok=True)
