"""The trained network on emulated cores, and how the emulation fails."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.runtime import arm64, litert
from melanoma_edge.verify.predictions import softmax

LAST_LAYER = 1e-6  # of a logit: the float sum of the last layer, whose order is each kernel's own
LITERT = ("litert",)


def opened_here(path: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All outputs on this machine, float32 `[N, outputs]`."""
    interpreter = litert.allocate(path)
    rows = []
    for image in images:
        batch = (image[np.newaxis].astype(np.float32) - 128) / 128
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
        interpreter.invoke()
        outputs = [interpreter.get_tensor(one["index"]).ravel() for one in interpreter.get_output_details()]
        rows.append(np.concatenate(outputs))
    return np.stack(rows)


def test_every_integer_is_the_same_and_every_decision(answered, opened, images, threshold) -> None:
    here, there = opened_here(opened, images), answered
    assert set(there) == {"cortex-a53", "cortex-a76"} and len(here) >= 100
    decided = softmax(here[:, :2])[:, 1] >= threshold
    assert 0 < decided.sum() < len(decided)
    for answers in there.values():
        assert np.array_equal(here[:, 2:].view(np.uint32), answers[:, 2:].view(np.uint32))
        assert np.abs(here[:, :2].astype(float) - answers[:, :2]).max() <= LAST_LAYER
        assert np.array_equal(decided, softmax(answers[:, :2])[:, 1] >= threshold)
    for one, other in itertools.combinations(there.values(), 2):
        assert np.array_equal(one.view(np.uint32), other.view(np.uint32))


def test_a_killed_run_goes_on_and_a_torn_row_is_done_again(emulated, int8, images, tmp_path) -> None:
    np.save(tmp_path / "images.npy", images[:4])
    told: list[tuple[int, int]] = []

    def run(file: Path) -> bytes:
        arm64.answers(
            emulated, "cortex-a53", int8, tmp_path / "images.npy", 2, file, lambda *at: told.append(at), LITERT
        )
        return file.read_bytes()

    whole = run(tmp_path / "whole")
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)] and len(whole) == 4 * 8
    (tmp_path / "torn").write_bytes(whole[: 2 * 8 + 5])
    told.clear()
    assert run(tmp_path / "torn") == whole
    assert told == [(2, 4), (3, 4), (4, 4)]


def test_what_does_not_run_is_an_error_with_the_runtimes_words(emulated, images, tmp_path) -> None:
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    np.save(tmp_path / "images.npy", images[:1])
    with pytest.raises(EdgeError, match=r"broken.tflite on cortex-a53 .*does not run: .+"):
        arm64.answers(
            *(emulated, "cortex-a53", tmp_path / "broken.tflite", tmp_path / "images.npy", 2, tmp_path / "file"),
            lambda done, total: None,
            LITERT,
        )


def test_a_missing_set_up_names_the_command(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "scripts/arm64.sh" in (arm64.missing() or "")
    with pytest.raises(InputError, match=r"scripts/arm64\.sh"):
        arm64.emulation()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "qemu" in (arm64.missing() or "")
