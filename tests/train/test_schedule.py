"""Who learns when, and how fast."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import tiny_network

from melanoma_edge.train import schedule


def test_the_head_learns_first_then_everything() -> None:
    frozen, full = schedule.phases(10, 3, lr=1e-3, frozen_lr=1e-2)
    assert (frozen.start, frozen.stop, frozen.lr, frozen.frozen) == (0, 3, 1e-2, True)
    assert (full.start, full.stop, full.lr, full.frozen) == (3, 10, 1e-3, False)
    assert [phase.name for phase in schedule.phases(4, 0, 1.0, 1.0)] == ["full"]
    assert [phase.name for phase in schedule.phases(4, 4, 1.0, 1.0)] == ["frozen"]


def test_frozen_features_neither_learn_nor_update_their_norms() -> None:
    model = tiny_network()
    schedule.set_trainable(model, "classifier", frozen=True)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    adamw = schedule.optimizer(model, lr=0.1, weight_decay=0.1)
    model(torch.randn(4, 3, 32, 32)).square().sum().backward()
    adamw.step()
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"classifier.1.weight", "classifier.1.bias"}
    assert model.get_submodule("classifier").training
    schedule.set_trainable(model, "classifier", frozen=False)
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_norms_and_biases_do_not_decay() -> None:
    model = tiny_network()
    groups = schedule.optimizer(model, lr=0.1, weight_decay=0.1).param_groups
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        assert decay[id(parameter)] == (0.1 if parameter.ndim > 1 else 0.0), name


def test_one_cycle_rises_to_the_peak_and_falls_to_nothing() -> None:
    adamw = schedule.optimizer(tiny_network(), lr=1e-3, weight_decay=0.0)
    cycle = schedule.scheduler("one-cycle", adamw, 50)
    rates = []
    for _ in range(50):
        rates.append(adamw.param_groups[0]["lr"])
        adamw.step()
        cycle.step()
    peak = rates.index(max(rates))
    assert (peak, rates[0], max(rates)) == (10, pytest.approx(4e-5), pytest.approx(1e-3))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 1e-5


@given(steps=st.integers(1, 400))
def test_one_cycle_of_any_length_stays_within_its_peak(steps: int) -> None:
    rates = [schedule.one_cycle(step, steps) for step in range(steps + 1)]
    assert all(0 <= rate <= 1 for rate in rates)
    assert steps == 1 or rates[-1] == pytest.approx(0, abs=1e-9)


def test_plateau_cuts_the_rate_when_the_auc_stops_rising() -> None:
    adamw = schedule.optimizer(tiny_network(), lr=0.9, weight_decay=0.0)
    plateau = schedule.scheduler("plateau", adamw, 50)
    for auc in (0.6, 0.7, 0.7, 0.7):
        plateau.step(auc)
    assert adamw.param_groups[0]["lr"] == pytest.approx(0.3)


@given(aucs=st.lists(st.floats(0, 1), max_size=12), patience=st.integers(1, 5))
def test_stagnant_counts_from_the_first_best(aucs: list[float], patience: int) -> None:
    since = next((i for i, auc in enumerate(aucs) if auc == max(aucs)), 0)
    assert schedule.stagnant(aucs, patience) == (len(aucs) - since > patience and bool(aucs))
