"""Which attempts are made and which is taken: the first that comes to AIM, else the best of the fast."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from melanoma_edge.errors import InputError
from melanoma_edge.quantization.quantizers import Plan
from melanoma_edge.quantization.recipe import Recipe
from melanoma_edge.selection.report import Trial
from melanoma_edge.selection.search import UNSEEN, Search, Tried, expected_flips, expected_latency, search

GATE = 0.01
TRIAL = Trial(
    recipe="",
    seconds=1.0,
    float_nodes=0,
    predicted_ratio=0.5,
    onnx_predicted_ratio=0.6,
    latency_ratio=2.0,
    onnx_latency_ratio=2.0,
    flips=9,
    flip_rate=0.009,
    sensitivity_drop=0.0,
    auc_delta=0.0,
    mean_abs_dp=0.01,
    holds=False,
)
HOLDS = replace(TRIAL, holds=True, flip_rate=0.007)
PLANS = [  # 1.0, 0.6 and 0.4 of what "static" flips are expected
    Plan(Recipe("static"), remaining=1.0),
    Plan(Recipe("some"), 0.2, 0.36 - UNSEEN),
    Plan(Recipe("more"), 0.4, 0.16 - UNSEEN),
]


def found(*quantizers: Sequence[Plan], last: Sequence[Plan] = (), **trials: Trial) -> Search:
    """The search when attempts at plans with these names turn out so. last: plans of a last resort."""

    def make(plan: Plan) -> tuple[SimpleNamespace, Trial]:
        return SimpleNamespace(name=plan.recipe.name), trials[plan.recipe.name]

    planners = [partial(list, plans) for plans in quantizers]
    return search(planners, [partial(list, last)], make, GATE)  # type: ignore[arg-type]


def told(result: Search) -> tuple[str, list[str], dict[str, str]]:
    """Names: of what is chosen, and of all that were made; and why others were not."""
    names = [one.plan.recipe.name for one in result.made]
    return result.chosen.name, names, {one.recipe: one.why for one in result.skipped}  # type: ignore[attr-defined]


def plans(*names: str) -> list[Plan]:
    return [Plan(Recipe(name)) for name in names]


def test_coming_to_the_aim_ends_the_search() -> None:
    good = replace(HOLDS, flip_rate=0.005)
    result = found(plans("a", "b", "c"), a=HOLDS, b=good, c=replace(good, flip_rate=0.0))
    assert told(result) == ("b", ["a", "b"], {})


def test_a_last_resort_is_for_when_nothing_holds() -> None:
    held, better = replace(HOLDS, flip_rate=0.0065), replace(TRIAL, flip_rate=0.004)
    assert told(found(plans("a"), plans("b"), last=plans("c"), a=HOLDS, b=held)) == ("b", ["a", "b"], {})
    assert told(found(plans("a"), last=plans("c"), a=TRIAL, c=better)) == ("c", ["a", "c"], {})


def test_plans_are_made_only_for_those_that_are_asked() -> None:
    def never() -> Sequence[Plan]:
        raise AssertionError

    def make(_plan: Plan) -> tuple[None, Trial]:
        return None, replace(HOLDS, flip_rate=0.0)

    assert len(search([partial(plans, "a"), never], [never], make, GATE).made) == 1  # type: ignore[arg-type]


def test_otherwise_the_one_that_flips_least_is_taken() -> None:
    trials = {"a": TRIAL, "b": replace(TRIAL, flip_rate=0.0085), "c": replace(TRIAL, flip_rate=0.0088)}
    assert told(found(plans("a"), plans("b", "c"), **trials)) == ("b", ["a", "b", "c"], {})


def test_one_that_holds_the_gates_comes_before_one_that_flips_less() -> None:
    assert told(found(plans("a", "b"), a=HOLDS, b=replace(TRIAL, flip_rate=0.006)))[0] == "a"


def test_a_slow_one_is_taken_only_when_no_fast_one_does_as_well() -> None:
    slow = replace(HOLDS, flip_rate=0.0065, predicted_ratio=0.9)
    assert told(found(plans("a", "b"), a=HOLDS, b=slow))[0] == "a"
    assert (
        told(found(plans("a", "b"), a=HOLDS, b=replace(slow, predicted_ratio=0.5, onnx_predicted_ratio=1.1)))[0] == "a"
    )
    assert told(found(plans("a", "b"), a=replace(HOLDS, predicted_ratio=1.2), b=slow))[0] == "b"
    assert told(found(plans("a", "b"), a=TRIAL, b=slow))[0] == "b"  # the fast one does not hold
    assert told(found(plans("a", "b"), a=TRIAL, b=replace(slow, holds=False)))[0] == "a"


def test_one_that_comes_to_the_aim_but_is_slow_does_not_end_the_search() -> None:
    good, some = replace(HOLDS, flip_rate=0.005), replace(PLANS[1], remaining=None)
    for slowness, names in ((1.1, ["some", "more"]), (0.9, ["some", "more"]), (0.8, ["some"])):
        first = replace(good, onnx_predicted_ratio=slowness)
        assert told(found([some, replace(PLANS[2], remaining=None)], some=first, more=HOLDS))[1] == names
    slow = replace(good, onnx_predicted_ratio=1.1)  # as on a busy machine: what stays in float would be slower still
    assert told(found(PLANS, static=slow)) == ("static", ["static"], {})


def test_of_slow_ones_that_come_to_the_aim_the_fastest_is_taken() -> None:
    good = replace(HOLDS, flip_rate=0.005, onnx_predicted_ratio=0.9)
    fast, few = replace(good, onnx_predicted_ratio=0.85), replace(good, flip_rate=0.003)
    three = [Plan(Recipe(name), cost) for name, cost in (("a", 0.1), ("b", 0.2), ("c", 0.3))]
    assert told(found(three, a=good, b=fast, c=few)) == ("b", ["a", "b", "c"], {})
    missed = replace(fast, flip_rate=0.007, onnx_predicted_ratio=0.81)
    assert told(found(three, a=good, b=missed, c=few))[0] == "a"


def test_without_a_plan_it_is_told_what_is_left() -> None:
    with pytest.raises(InputError, match="--quantizer static"):
        found([])


def test_undefined_figures_are_the_worst() -> None:
    trials = {"a": replace(TRIAL, flip_rate=None), "b": replace(TRIAL, flip_rate=0.3)}
    assert told(found(plans("a", "b"), **trials))[0] == "b"


def test_a_plan_that_cannot_hold_is_not_made() -> None:
    bad = replace(TRIAL, flip_rate=0.05)
    result = found(PLANS[:1], PLANS[1:], last=plans("minutes"), static=bad, minutes=replace(bad, flip_rate=0.04))
    assert told(result) == ("minutes", ["static", "minutes"], {"some": "flips", "more": "flips"})
    assert result.skipped[0].flip_rate == pytest.approx(0.03)


def test_a_plan_gives_way_to_a_dearer_one_that_promises_to_come_to_the_aim() -> None:
    start = replace(TRIAL, flip_rate=0.012)  # 0.0072 expected of "some", 0.0048 of "more"
    result = found(PLANS[:1], PLANS[1:], static=start, more=replace(HOLDS, flip_rate=0.0045))
    assert told(result) == ("more", ["static", "more"], {"some": "dearer"})


def test_it_is_made_after_all_when_the_dearer_one_turns_out_slow() -> None:
    start, slow = replace(TRIAL, flip_rate=0.012), replace(HOLDS, flip_rate=0.0065, onnx_predicted_ratio=0.81)
    result = found(PLANS[:1], PLANS[1:], static=start, more=slow, some=replace(HOLDS, flip_rate=0.0075))
    assert told(result) == ("some", ["static", "more", "some"], {})


def test_it_does_not_give_way_to_one_that_would_be_slow() -> None:
    start = replace(TRIAL, flip_rate=0.012, onnx_predicted_ratio=0.7)  # 0.82 expected of "more"
    result = found(PLANS[:1], PLANS[1:], static=start, some=HOLDS)
    assert told(result) == ("some", ["static", "some"], {"more": "slow"})
    assert result.skipped[0].latency_ratio == pytest.approx(0.82)


def test_a_fast_holder_is_enough_where_no_dearer_plan_promises_to_come_to_the_aim() -> None:
    start, held = replace(TRIAL, flip_rate=0.0132), replace(HOLDS, flip_rate=0.0075)
    plans = [PLANS[1], replace(PLANS[2], remaining=0.25 - UNSEEN)]  # 0.0079 and 0.0066 expected
    assert told(found(PLANS[:1], plans, static=start, some=held)) == ("some", ["static", "some"], {"more": "little"})


@pytest.mark.parametrize("start", [replace(TRIAL, flip_rate=0.012), HOLDS])
def test_a_slow_plan_is_made_where_nothing_fast_holds(start: Trial) -> None:
    start, better = (replace(one, onnx_predicted_ratio=0.9) for one in (start, replace(HOLDS, flip_rate=0.005)))
    assert told(found(PLANS[:1], PLANS[2:], static=start, more=better)) == ("more", ["static", "more"], {})


def test_what_can_be_expected() -> None:
    made = [Tried(PLANS[0], None, replace(TRIAL, flip_rate=0.02))]  # type: ignore[arg-type]
    assert expected_flips(PLANS[1], made) == pytest.approx(0.012)
    assert expected_latency(PLANS[1], made) == pytest.approx(0.6 + 0.4 * 0.2)
    made.append(Tried(PLANS[1], None, replace(TRIAL, onnx_predicted_ratio=0.7)))  # type: ignore[arg-type]
    assert expected_latency(PLANS[2], made) == pytest.approx(0.6 + 0.5 * 0.4)  # dearer than float's own time
    assert expected_flips(PLANS[1], []) is None and expected_latency(PLANS[1], []) is None
    assert expected_flips(Plan(Recipe("unknown")), made) is None
