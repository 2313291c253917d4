"""The state of an interrupted training on disk: tensors and plain values, read without running any code."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from melanoma_edge.artifact import write_atomic
from melanoma_edge.errors import InputError

NAME = "checkpoint.pt"


def save(folder: Path, key: str, state: dict[str, Any]) -> None:
    """Replace the folder's checkpoint, atomically. `key` names the training that it belongs to."""
    buffer = io.BytesIO()
    torch.save({"key": key, **state}, buffer)
    write_atomic(folder / NAME, buffer.getvalue())


def load(folder: Path, key: str) -> dict[str, Any] | None:
    """The folder's checkpoint, None when there is none.

    Raises InputError when it is damaged or belongs to a training with other data or options.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError):
        raise InputError(f"{path} is damaged: delete it to train from the start") from None
    if state.get("key") != key:
        raise InputError(f"{path} belongs to a training with other data or options: delete it, or use another folder")
    return state


def discard(folder: Path) -> None:
    """Remove the folder's checkpoint."""
    (folder / NAME).unlink(missing_ok=True)
