"""What cannot be trained is refused before the first batch, with what would be accepted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_training import SPEC, TINY, tiny_data, tiny_network

from melanoma_edge.errors import InputError
from melanoma_edge.train.given import check
from melanoma_edge.train.loop import train

DATA = tiny_data()


def test_the_tiny_training_is_accepted() -> None:
    check(SPEC, DATA, TINY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": "cosine"}, "one-cycle, plateau"),
        ({"balance": "smote"}, "sampler, loss, none"),
        ({"precision": "int8"}, "auto, float32"),
        ({"device": "tpu"}, "auto, cpu, cuda"),
        ({"frozen_epochs": 5}, "count among the epochs"),
        ({"lr": None}, "no learning rate"),
    ],
)
def test_choices(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(SPEC, DATA, replace(TINY, **change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_labels": np.zeros(40, np.int64)}, "0 of 40 training images are melanomas"),
        ({"val_labels": np.ones(24, np.int64)}, "24 of 24 validation images are melanomas"),
        ({"train_labels": DATA.train_labels[:-1]}, "40 training images and 39 labels"),
        ({"val_labels": DATA.val_labels + 1}, "run from 1 to 2"),
        ({"val_pixels": DATA.val_pixels[:, :30]}, "the network takes"),
        ({"train_pixels": DATA.train_pixels[:, :30]}, "at least"),
        ({"train_pixels": DATA.train_pixels.astype(np.float32)}, "uint8"),
        ({"classes": ("a", "b", "c")}, "3 classes in the data, 2 in the network"),
        ({"val_pixels": DATA.val_pixels[:0], "val_labels": DATA.val_labels[:0]}, "0 of 0 validation images"),
    ],
)
def test_data(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(SPEC, replace(DATA, **change), TINY)


def test_nothing_is_written_for_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        train(tiny_network(), SPEC, DATA, replace(TINY, schedule="cosine"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
