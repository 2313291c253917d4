"""The second head learns from the network's features, gives it a gradient, and leaves no trace."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import SPEC, TINY, tiny_data, tiny_network

from melanoma_edge import models
from melanoma_edge.errors import InputError
from melanoma_edge.train.diagnoses import DiagnosisHead, numbered
from melanoma_edge.train.loop import train

DATA = tiny_data()
FINER = replace(DATA, train_diagnoses=np.arange(len(DATA.train_labels)) % 4)


def test_diagnoses_are_numbered_by_name() -> None:
    assert numbered(["nv", "bcc", "nv", "mel"]).tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize("arch", models.names())
def test_every_backbone_has_features_for_it(arch: str) -> None:
    network = models.create(arch, 2)
    second = DiagnosisHead(network, models.layout(arch).head, 7)
    network.train()(torch.randn(2, 3, 64, 64))
    second.loss(torch.tensor([0, 6])).backward()
    first = next(p for name, p in network.named_parameters() if name.startswith(models.layout(arch).stem))
    assert first.grad is not None and float(first.grad.abs().sum()) > 0
    assert not any(name.startswith("linear") for name in network.state_dict())


def test_nothing_of_it_is_kept(tmp_path: Path) -> None:
    network = tiny_network()
    train(network, SPEC, FINER, replace(TINY, epochs=2), tmp_path)
    assert set(load_file(tmp_path / "model.safetensors")) == set(tiny_network().state_dict())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_it_changes_what_is_learned_unless_its_weight_is_0(tmp_path: Path) -> None:
    def learned(name: str, data: object, weight: float) -> bytes:
        train(tiny_network(), SPEC, data, replace(TINY, epochs=2, diagnoses=weight), tmp_path / name)  # type: ignore[arg-type]
        return (tmp_path / name / "model.safetensors").read_bytes()

    without = learned("without", DATA, 0.5)
    assert learned("no weight", FINER, 0.0) == without
    assert learned("weighted", FINER, 0.5) != without


def test_an_interrupted_training_goes_on_with_it(tmp_path: Path) -> None:
    def kill(task: str, done: int, total: int, detail: str = "") -> None:
        if done == 13:
            raise KeyboardInterrupt

    train(tiny_network(), SPEC, FINER, TINY, tmp_path / "once")
    with pytest.raises(KeyboardInterrupt):
        train(tiny_network(), SPEC, FINER, TINY, tmp_path / "twice", kill)
    train(tiny_network(), SPEC, FINER, TINY, tmp_path / "twice")
    once, twice = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("once", "twice"))
    assert once == twice


def test_labels_that_say_as_much_need_none() -> None:
    assert replace(DATA, train_diagnoses=DATA.train_labels).diagnoses == DATA.diagnoses == 0
    assert FINER.diagnoses == 4


def test_a_wrong_number_of_diagnoses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="diagnoses"):
        train(tiny_network(), SPEC, replace(DATA, train_diagnoses=np.zeros(3, np.int64)), TINY, tmp_path)
