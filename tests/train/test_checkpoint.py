"""A checkpoint is whole or absent, holds no code, and belongs to one training."""

from pathlib import Path

import pytest
import torch

from melanoma_edge.errors import InputError
from melanoma_edge.train import checkpoint


class Code:
    """Unpickling this would call print."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("harm",)


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path, "key") is None
    for value in (1.0, 2.0):
        checkpoint.save(tmp_path, "key", {"model": {"w": torch.full((3,), value)}, "history": [{"epoch": 1}]})
    state = checkpoint.load(tmp_path, "key")
    assert state is not None
    assert torch.equal(state["model"]["w"], torch.full((3,), 2.0))
    assert state["history"] == [{"epoch": 1}]
    checkpoint.discard(tmp_path)
    checkpoint.discard(tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_key_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "key", {})
    with pytest.raises(InputError, match="delete it, or use another folder"):
        checkpoint.load(tmp_path, "other")


@pytest.mark.parametrize("keep", [0, 1, 0.5, 0.95])
def test_a_damaged_file_is_refused(keep: float, tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "key", {"model": torch.zeros(1000)})
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
