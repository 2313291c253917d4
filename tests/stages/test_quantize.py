"""Which attempt is taken: the first that holds, else the one that flips least among the fast ones."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from melanoma_edge.progress import silent
from melanoma_edge.stages import quantize
from melanoma_edge.stages.quantize import Trial

TRIAL = Trial(
    recipe="",
    seconds=1.0,
    float_nodes=0,
    latency_ratio=0.5,
    onnx_latency_ratio=0.6,
    flips=9,
    flip_rate=0.01,
    sensitivity_drop=0.0,
    auc_delta=0.0,
    mean_abs_dp=0.01,
    holds=False,
)


def chosen(monkeypatch: pytest.MonkeyPatch, **trials: Trial) -> tuple[str, list[str]]:
    """The name taken, and those tried, when attempts with these names turn out so."""

    def attempts() -> Iterator[SimpleNamespace]:
        yield from (SimpleNamespace(recipe=SimpleNamespace(name=name)) for name in trials)

    monkeypatch.setattr(quantize, "_try", lambda bench, attempt, seconds, progress: trials[attempt.recipe.name])
    tried: quantize.Tried = []
    taken = quantize._choose(None, attempts(), tried, silent)  # type: ignore[arg-type]
    names = {id(trial): name for name, trial in trials.items()}
    return taken.recipe.name, [names[id(trial)] for _, trial in tried]


def test_the_first_that_holds_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    good = replace(TRIAL, holds=True)
    assert chosen(monkeypatch, a=TRIAL, b=good, c=replace(good, flip_rate=0.0)) == ("b", ["a", "b"])


def test_otherwise_the_one_that_flips_least_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = {"a": TRIAL, "b": replace(TRIAL, flip_rate=0.008), "c": replace(TRIAL, flip_rate=0.009)}
    assert chosen(monkeypatch, **trials) == ("b", ["a", "b", "c"])


def test_a_slow_one_is_taken_only_when_all_are(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = replace(TRIAL, flip_rate=0.001, latency_ratio=0.9)
    assert chosen(monkeypatch, a=TRIAL, b=slow)[0] == "a"
    assert chosen(monkeypatch, a=TRIAL, b=replace(slow, latency_ratio=0.5, onnx_latency_ratio=1.1))[0] == "a"
    assert chosen(monkeypatch, a=replace(TRIAL, latency_ratio=1.2), b=slow)[0] == "b"


def test_undefined_figures_are_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, a=replace(TRIAL, flip_rate=None), b=replace(TRIAL, flip_rate=0.3))[0] == "b"


def test_flips_are_expected_to_go_with_the_root_of_what_remains_of_the_squared_change() -> None:
    tried: quantize.Tried = [(None, replace(TRIAL, recipe="static", flip_rate=0.02))]  # type: ignore[list-item]
    assert quantize._expected(tried, 0.25) == pytest.approx(0.01)
    assert quantize._expected([], 0.25) is None
