"""The average follows the weights: at once with no decay, over many steps with a high one."""

import pytest
import torch
from torch import Tensor, nn

from melanoma_edge.train.average import average_of


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def moved(model: nn.Module, to: float) -> nn.Module:
    with torch.no_grad():
        for value in (*model.parameters(), *model.buffers()):
            value.fill_(to)
    return model


def values(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


def test_without_decay_it_is_the_model() -> None:
    model = network()
    average = average_of(model, 0.0)
    for to in (1.0, 5.0):
        average.update_parameters(moved(model, to))
    for found, expected in zip(values(average.module), values(model), strict=True):
        assert torch.equal(found, expected)


def test_it_covers_about_as_many_steps_as_the_decay_says() -> None:
    """After n steps at 1, what came before keeps at most decay^n."""
    model = network()
    average = average_of(model, 0.9)
    for _ in range(500):
        average.update_parameters(moved(model, 0.0))
    for _ in range(10):
        average.update_parameters(moved(model, 1.0))
    weight = next(average.module.parameters())
    assert float(weight.detach().mean()) == pytest.approx(1 - 0.9**10, rel=1e-3)


def test_the_first_steps_are_soon_forgotten() -> None:
    model = network()
    average = average_of(model, 0.999)
    average.update_parameters(moved(model, 100.0))
    for _ in range(50):
        average.update_parameters(moved(model, 0.0))
    assert float(next(average.module.parameters()).detach().mean()) < 0.5


def test_the_model_is_left_alone() -> None:
    model = moved(network(), 2.0)
    average_of(model, 0.9).update_parameters(model)
    assert all(float(v.detach().double().mean()) == 2 for v in values(model))
