"""A checkpoint is whole or absent, holds no code, and belongs to one training."""

from pathlib import Path

import pytest
import torch

from melanoma_edge.errors import InputError
from melanoma_edge.train import checkpoint
from melanoma_edge.train.history import Epoch


class Code:
    """Unpickling this would call print."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("harm",)


def state(value: float) -> checkpoint.State:
    weights = {"w": torch.full((3,), value)}
    row = Epoch(1, "full", 0.1, 0.5, 0.6, 0.7, 1.0)
    return checkpoint.State((row,), weights, weights, weights, None, {"step": 1}, {}, {})


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path, "key") is None
    for value in (1.0, 2.0):
        checkpoint.save(tmp_path, "key", state(value))
    loaded = checkpoint.load(tmp_path, "key")
    assert loaded is not None
    assert torch.equal(loaded.model["w"], torch.full((3,), 2.0))
    assert loaded.history == state(2.0).history
    checkpoint.discard(tmp_path)
    checkpoint.discard(tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_key_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "key", state(1.0))
    with pytest.raises(InputError, match="delete it, or use another folder"):
        checkpoint.load(tmp_path, "other")


@pytest.mark.parametrize("keep", [0, 1, 0.5, 0.95])
def test_a_damaged_file_is_refused(keep: float, tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "key", state(0.0))
    path = tmp_path / checkpoint.NAME
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    with pytest.raises(InputError, match="damaged"):
        checkpoint.load(tmp_path, "key")


def test_code_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"key": "key", "model": Code()}, tmp_path / checkpoint.NAME)
    with pytest.raises(InputError, match="damaged"):
        checkpoint.load(tmp_path, "key")
    assert capsys.readouterr().out == ""
