"""A training learns, stops, says what is wrong, and survives a kill at any point without a trace in its result."""

import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import SPEC, TINY, tiny_data, tiny_network

from melanoma_edge import models
from melanoma_edge.artifact import read_json
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.progress import silent
from melanoma_edge.train import checkpoint
from melanoma_edge.train.history import TRAINED, Epoch, TrainingReport
from melanoma_edge.train.loop import train
from melanoma_edge.train.weights import load_model

Trained = tuple[TrainingReport, bytes]  # with the weights
STEPS = 5 * TINY.epochs  # batches in the tiny training


def rows(report: TrainingReport) -> list[Epoch]:
    return [replace(row, seconds=0.0) for row in report.history]


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("uninterrupted")
    torch.set_num_threads(1)
    return train(tiny_network(), SPEC, tiny_data(), TINY, folder), weights(folder)


class KilledError(Exception):
    """Stands for whatever ends the process."""


def kill_at(step: int) -> object:
    def progress(task: str, done: int, total: int, detail: str = "") -> None:
        assert (task, total) == ("train", STEPS)
        if done == step:
            raise KilledError

    return progress


def test_training_learns_and_leaves_three_files(tmp_path: Path) -> None:
    model, data = tiny_network(), tiny_data()
    report = train(model, SPEC, data, replace(TINY, epochs=8, lr=2e-2, patience=8), tmp_path)
    assert report.val_auc > 0.9
    assert sorted(p.name for p in tmp_path.iterdir()) == ["history.csv", "model.safetensors", "train.json"]
    with (tmp_path / "history.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [row["phase"] for row in written] == ["frozen"] + ["full"] * 7
    assert [float(row["val_auc"]) for row in written] == [row.val_auc for row in report.history]
    assert read_json(tmp_path / TRAINED, TrainingReport) == report
    assert (report.device, report.precision) == ("cpu", "float32")
    assert report.parameters == sum(p.numel() for p in model.parameters())
    assert not model.training


def test_the_kept_weights_are_the_best_epochs(tmp_path: Path) -> None:
    model, data = tiny_network(), tiny_data()
    report = train(model, SPEC, data, replace(TINY, epochs=6, lr=5e-2), tmp_path)
    batch = torch.from_numpy(data.val_pixels).permute(0, 3, 1, 2).float().sub(128).div(128)
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(model(batch), torch.from_numpy(data.val_labels)).item()
    assert loss == pytest.approx(report.history[report.best_epoch - 1].val_loss, rel=1e-5)
    state = load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path: Path, uninterrupted: Trained) -> None:
    again = train(tiny_network(), SPEC, tiny_data(), replace(TINY, workers=1), tmp_path / "a")
    assert rows(again) == rows(uninterrupted[0])
    assert weights(tmp_path / "a") == uninterrupted[1]
    train(tiny_network(), SPEC, tiny_data(), TINY, tmp_path / "b", seed=1)
    assert weights(tmp_path / "b") != uninterrupted[1]


@pytest.mark.parametrize("step", [1, 5, 6, 8, 10, 17, STEPS])
def test_a_kill_at_any_batch_leaves_no_trace(step: int, tmp_path: Path, uninterrupted: Trained) -> None:
    with pytest.raises(KilledError):
        train(tiny_network(), SPEC, tiny_data(), TINY, tmp_path, kill_at(step))
    assert (tmp_path / checkpoint.NAME).exists() == (step > 5), "one checkpoint a finished epoch"
    assert not (tmp_path / "model.safetensors").exists()
    resumed = train(tiny_network(), SPEC, tiny_data(), TINY, tmp_path, silent)
    assert rows(resumed) == rows(uninterrupted[0])
    assert weights(tmp_path) == uninterrupted[1]
    assert not (tmp_path / checkpoint.NAME).exists()


@pytest.mark.parametrize("schedule", ["one-cycle", "plateau"])
def test_killed_again_and_again(schedule: str, tmp_path: Path) -> None:
    options = replace(TINY, schedule=schedule, balance="loss", frozen_epochs=2, patience=1, label_smoothing=0.1)
    once = train(tiny_network(), SPEC, tiny_data(), options, tmp_path / "once")
    for step in range(3, STEPS, 5):
        try:
            train(tiny_network(), SPEC, tiny_data(), options, tmp_path / "often", kill_at(step))
        except KilledError:
            continue
        break
    often = train(tiny_network(), SPEC, tiny_data(), options, tmp_path / "often")
    assert rows(often) == rows(once)
    assert weights(tmp_path / "often") == weights(tmp_path / "once")


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tiny_training import SPEC, TINY, tiny_data, tiny_network
from melanoma_edge.train.loop import train

def progress(task, done, total, detail=""):
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

import torch
torch.set_num_threads(1)
train(tiny_network(), SPEC, tiny_data(), TINY, Path(sys.argv[2]), progress)
"""


def test_sigkill_leaves_no_trace(tmp_path: Path, uninterrupted: Trained) -> None:
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parents[1]), str(tmp_path), "13"]
    assert (
        subprocess.run(command, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode == -signal.SIGKILL
    )
    assert [p.name for p in tmp_path.iterdir()] == [checkpoint.NAME]
    train(tiny_network(), SPEC, tiny_data(), TINY, tmp_path)
    assert weights(tmp_path) == uninterrupted[1]


def test_ctrl_c_passes_through_with_the_checkpoint_intact(tmp_path: Path) -> None:
    def interrupt(task: str, done: int, total: int, detail: str = "") -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_network(), SPEC, tiny_data(), TINY, tmp_path, interrupt)
    state = torch.load(tmp_path / checkpoint.NAME, weights_only=True)
    assert [row["epoch"] for row in state["history"]] == [1]


def test_another_trainings_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        train(tiny_network(), SPEC, tiny_data(), TINY, tmp_path, kill_at(7))
    with pytest.raises(InputError, match="other data or options"):
        train(tiny_network(), SPEC, tiny_data(), replace(TINY, lr=0.5), tmp_path)
    relabelled = replace(tiny_data(), train_labels=np.roll(tiny_data().train_labels, 1))
    with pytest.raises(InputError, match="other data or options"):
        train(tiny_network(), SPEC, relabelled, TINY, tmp_path)


def test_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    options = replace(TINY, epochs=30, patience=2, lr=1e-9, frozen_lr=1e-9)
    report = train(tiny_network(), SPEC, tiny_data(), options, tmp_path)
    full = [row.val_auc for row in report.history if row.phase == "full"]
    assert len(report.history) < 30
    assert len(full) - 1 - full.index(max(full)) == 2


def test_a_diverging_loss_says_where_and_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"epoch 2, step \d.*third of the learning rate"):
        train(tiny_network(), SPEC, tiny_data(), replace(TINY, lr=1e30), tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


def test_bfloat16_learns_too(tmp_path: Path) -> None:
    options = replace(TINY, epochs=8, lr=2e-2, precision="bfloat16")
    report = train(tiny_network(), SPEC, tiny_data(), options, tmp_path)
    assert report.precision == "bfloat16"
    assert report.val_auc > 0.9
    assert all(t.dtype in {torch.float32, torch.int64} for t in load_file(tmp_path / "model.safetensors").values())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["auto", "float16", "bfloat16", "float32"])
def test_a_gpu_learns_and_resumes(precision: str, tmp_path: Path) -> None:
    options = replace(TINY, device="cuda", precision=precision, workers=1)
    once = train(tiny_network(), SPEC, tiny_data(), options, tmp_path / "once")
    with pytest.raises(KilledError):
        train(tiny_network(), SPEC, tiny_data(), options, tmp_path / "twice", kill_at(13))
    twice = train(tiny_network(), SPEC, tiny_data(), options, tmp_path / "twice")
    assert once.device == "cuda"
    assert rows(twice) == rows(once)
    assert weights(tmp_path / "twice") == weights(tmp_path / "once")


def test_seven_classes_and_a_real_backbone(tmp_path: Path) -> None:
    """The AUC is of the melanoma column; the file that is left builds the network again."""
    data = tiny_data()
    classes = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    labels = [np.where(values, 4, np.arange(len(values)) % 4) for values in (data.train_labels, data.val_labels)]
    data = replace(data, train_labels=labels[0], val_labels=labels[1], classes=classes, melanoma=4)
    spec = models.spec("meshnet", 7, image_size=32)
    torch.manual_seed(0)
    model = models.create("meshnet", 7)
    report = train(model, spec, data, replace(TINY, epochs=2, frozen_epochs=0, lr=1e-2), tmp_path)
    assert 0 <= report.val_auc <= 1
    loaded, made_with = load_model(tmp_path / "model.safetensors")
    assert (made_with.spec, made_with.classes) == (spec, classes)
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(loaded(image), model(image))


def test_threads_are_put_back(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    train(tiny_network(), SPEC, tiny_data(), replace(TINY, epochs=1, threads=1), tmp_path)
    assert torch.get_num_threads() == 2


def test_options_are_all_recorded(tmp_path: Path) -> None:
    report = train(tiny_network(), SPEC, tiny_data(), replace(TINY, epochs=1), tmp_path)
    assert report.options == replace(TINY, epochs=1)
