"""Which attempts to quantize are made, and which one is shipped.

Cheapest first, until one flips no more than AIM of what the gate allows. What a plan can be expected to flip and to
take follows from the attempts before it, so that those that would not help are left out. Latencies are predicted from
the graphs (`cost`), not measured: a choice that goes by the clock is another one on a busy machine.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from melanoma_edge.errors import InputError
from melanoma_edge.quantization.quantizers import Attempt, Plan
from melanoma_edge.selection.report import Skipped, Trial
from melanoma_edge.selection.trial import HEADROOM

Planner = Callable[[], Sequence[Plan]]
Maker = Callable[[Plan], tuple[Attempt, Trial]]

AIM = 0.6  # of the flip gate: reaching it ends the search
SLOWEST = 0.8  # predicted latency by float's above which a file is chosen only when nothing faster holds the gates
UNSEEN = 0.1  # of what `static` changes, squared: grids, the last layer and second order, which no effect predicts


@dataclass(frozen=True)
class Tried:
    """An attempt with its plan and its trial."""

    plan: Plan
    attempt: Attempt
    trial: Trial


@dataclass(frozen=True)
class Search:
    """The attempt to ship, all that were made, and the plans that were not."""

    chosen: Attempt
    made: Sequence[Tried]
    skipped: Sequence[Skipped]


def search(quantizers: Sequence[Planner], last_resorts: Sequence[Planner], make: Maker, max_flip_rate: float) -> Search:
    """Go through the plans of each of `quantizers`, cheapest first, and of `last_resorts` when none of those holds.

    make: carries a plan out and tries it. max_flip_rate: the gate, infinite where there is none. When no attempt
    ends the search, the best is chosen: of those that hold the gates, of those that are no slower than SLOWEST, or at
    least than float, the one that flips least; or, above SLOWEST, the fastest of those that reach AIM. One that does
    not hold is for the test split to judge. Raises InputError when there is no plan.
    """
    made: list[Tried] = []
    skipped: list[Skipped] = []

    def reached(planner: Planner) -> bool:
        return _carry_out(planner(), make, max_flip_rate, made, skipped)

    if not any(map(reached, quantizers)) and not any(one.trial.holds for one in made):
        any(map(reached, last_resorts))
    if not made:
        raise InputError("no operator of this network is worth its price in float: --quantizer static is what is left")
    best = min(made, key=lambda one: _rank(one, max_flip_rate))
    return Search(best.attempt, made, skipped)


def expected_flips(plan: Plan, made: Sequence[Tried]) -> float | None:
    """The flip rate of a plan: flips go with the root of the squared change of the probability, UNSEEN included."""
    for one in made:
        if one.plan.remaining == 1.0 and plan.remaining is not None and one.trial.flip_rate is not None:
            return math.sqrt(min(plan.remaining + UNSEEN, 1.0)) * one.trial.flip_rate
    return None


def expected_latency(plan: Plan, made: Sequence[Tried]) -> float | None:
    """Latency of a plan by float's in the slower runtime: what stays in float takes float's time, or as much more as in
    the attempts before."""
    whole = next((one for one in made if one.plan.cost == 0.0), None)
    if whole is None:
        return None
    start = _latency(whole.trial)
    slopes = [(_latency(one.trial) - start) / one.plan.cost for one in made if one.plan.cost > 0.0]
    return start + max([1.0 - start, *slopes]) * plan.cost


def _carry_out(
    plans: Sequence[Plan], make: Maker, max_flip_rate: float, made: list[Tried], skipped: list[Skipped]
) -> bool:
    """Go through one quantizer's plans, adding to `made` and `skipped`; whether one came to AIM."""

    def ended() -> bool:
        return bool(made) and _ends(made[-1], max_flip_rate)

    put_off: list[Plan] = []
    for place, plan in enumerate(plans):
        why = _why_not(plan, plans[place + 1 :], made, max_flip_rate)
        if why == "dearer":
            put_off.append(plan)
        elif why is not None:
            skipped.append(_skipped(plan, why, made))
        else:
            made.append(Tried(plan, *make(plan)))
            if ended():
                break
    while put_off and not any(map(_good, made)) and not ended():
        plan = put_off.pop()
        made.append(Tried(plan, *make(plan)))
    skipped.extend(_skipped(one, "dearer", made) for one in put_off)
    return ended()


def _why_not(plan: Plan, dearer: Sequence[Plan], made: Sequence[Tried], max_flip_rate: float) -> str | None:
    """Why a plan is not worth making, as `Skipped.why` has it; None when it is."""
    flips = expected_flips(plan, made)
    if flips is not None and flips > HEADROOM * max_flip_rate:
        return "flips"
    aims = flips is None or flips <= AIM * max_flip_rate
    if any(map(_good, made)):
        return "slow" if _too_slow(plan, made) else None if aims else "little"
    if not aims:
        promising = (other for other in dearer if not _too_slow(other, made))
        if any((expected_flips(other, made) or math.inf) <= AIM * max_flip_rate for other in promising):
            return "dearer"
    return None


def _too_slow(plan: Plan, made: Sequence[Tried]) -> bool:
    latency = expected_latency(plan, made)
    return latency is not None and latency > SLOWEST


def _ends(one: Tried, max_flip_rate: float) -> bool:
    """Whether an attempt ends the search: at AIM, and no slower than SLOWEST, unless nothing is faster by its plan."""
    return _reaches(one.trial, max_flip_rate) and (_pace(one.trial) == 0 or one.plan.cost == 0.0)


def _rank(one: Tried, max_flip_rate: float) -> tuple[bool, int, bool, float]:
    """The order in which `search` prefers attempts, best first."""
    by_latency = _pace(one.trial) > 0 and _reaches(one.trial, max_flip_rate)
    last = _latency(one.trial) if by_latency else _flips(one.trial)
    return not one.trial.holds, _pace(one.trial), not by_latency, last


def _reaches(trial: Trial, max_flip_rate: float) -> bool:
    return trial.holds and _flips(trial) <= AIM * max_flip_rate


def _good(one: Tried) -> bool:
    return one.trial.holds and _pace(one.trial) == 0


def _pace(trial: Trial) -> int:
    """0: fast; 1: not slower than float; 2: slower."""
    return (_latency(trial) > SLOWEST) + (_latency(trial) > 1.0)


def _skipped(plan: Plan, why: str, made: Sequence[Tried]) -> Skipped:
    return Skipped(plan.recipe.name, why, expected_flips(plan, made), expected_latency(plan, made))


def _latency(trial: Trial) -> float:
    return max(trial.predicted_ratio or math.inf, trial.onnx_predicted_ratio or math.inf)


def _flips(trial: Trial) -> float:
    return math.inf if trial.flip_rate is None else trial.flip_rate
