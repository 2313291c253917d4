import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoma_edge.bench import latency
from melanoma_edge.errors import InputError


class Fake:
    """A clock that calls move on, and a diary of who ran."""

    def __init__(self) -> None:
        self.now = 0
        self.diary: list[str] = []

    def call(self, name: str, nanoseconds: int):
        def run() -> None:
            assert not gc.isenabled() or len(self.diary) < self.warm
            self.diary.append(name)
            self.now += nanoseconds

        return run

    warm = 0


def timed(costs: dict[str, int], runs: int) -> tuple[Fake, dict[str, np.ndarray]]:
    fake = Fake()
    fake.warm = latency.WARM_UP * len(costs)
    calls = {name: fake.call(name, cost) for name, cost in costs.items()}
    return fake, latency.interleave(calls, runs=runs, clock=lambda: fake.now)


def test_every_round_times_every_network_once_after_a_run_of_its_own():
    fake, taken = timed({"slow": 5_000_000, "fast": 1_000_000, "fastest": 500}, runs=40)
    assert {name: set(times) for name, times in taken.items()} == {
        "slow": {5_000_000},
        "fast": {1_000_000},
        "fastest": {500},
    }
    rounds = np.array(fake.diary[fake.warm :]).reshape(40, 3, 2)
    assert (rounds[:, :, 0] == rounds[:, :, 1]).all()
    orders = {tuple(names) for names in rounds[:, :, 0]}
    assert all(sorted(order) == ["fast", "fastest", "slow"] for order in orders)
    assert len(orders) == 6
    assert fake.diary[: fake.warm].count("slow") == latency.WARM_UP
    assert gc.isenabled()


def test_order_follows_from_the_seed():
    assert timed({"a": 1, "b": 2, "c": 3}, 10)[0].diary == timed({"a": 1, "b": 2, "c": 3}, 10)[0].diary


def test_the_collector_is_switched_on_again_when_a_network_fails():
    def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        latency.interleave({"broken": broken})
    assert gc.isenabled()


def test_progress_counts_rounds():
    seen = []
    latency.interleave(
        {"a": lambda: None}, runs=3, progress=lambda task, done, total, detail="": seen.append((done, total))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_no_runs_are_refused():
    with pytest.raises(InputError, match="0 timed runs"):
        latency.interleave({"a": lambda: None}, runs=0)


def test_percentiles_are_in_milliseconds():
    got = latency.summarize(np.arange(0, 101_000_000, 1_000_000), threads=2)
    assert got == latency.Latency(p50=50, p90=90, p99=99, runs=101, threads=2)


def test_ratio_holds_the_true_one_in_noise_that_both_share():
    rng = np.random.default_rng(0)
    machine = rng.gamma(20, 1 / 20, 200)
    baseline = (1e6 * machine).astype(np.int64)
    network = (0.5e6 * machine * rng.normal(1, 0.01, 200)).astype(np.int64)
    got = latency.ratio(network, baseline)
    assert got.low < got.median < got.high
    assert got.low < 0.5 < got.high
    assert got.high - got.low < 0.05


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30), st.integers(1, 5))
def test_ratio_of_a_multiple_is_exact(times: list[int], factor: int):
    taken = np.array(times, np.int64)
    got = latency.ratio(taken * factor, taken)
    assert (got.low, got.median, got.high) == pytest.approx((factor, factor, factor))
