import math
from dataclasses import replace

import pytest

from melanoma_edge.errors import InputError
from melanoma_edge.options import Gates
from melanoma_edge.verify.gates import Gate, graph_gate, judge
from melanoma_edge.verify.metrics import Confusion
from melanoma_edge.verify.parity import Parity

GOOD = Parity(
    n=100,
    auc=0.9,
    auc_delta=-0.002,
    sensitivity=0.9,
    sensitivity_delta=-0.01,
    specificity=0.8,
    specificity_delta=0.0,
    flips=1,
    flip_rate=0.01,
    max_abs_dp=0.1,
    mean_abs_dp=0.01,
    top1_agreement=0.99,
    ece=0.1,
    brier=0.1,
    confusion=Confusion(9, 18, 72, 1),
    ledger=(),
)
FIELDS = {"max_auc_drop": "auc_delta", "max_flip_rate": "flip_rate", "max_sensitivity_drop": "sensitivity_delta"}


def verdicts(gates: list[Gate]) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in gates}


def test_a_value_at_its_limit_passes():
    gates = judge("int8", GOOD, 1000, Gates(max_bytes=1000))
    assert verdicts(gates) == dict.fromkeys([*FIELDS, "max_bytes"], True)
    assert {g.name: (g.limit, g.value) for g in gates}["max_sensitivity_drop"] == (0.01, 0.01)
    assert {g.artifact for g in gates} == {"int8"}


@pytest.mark.parametrize("gate", FIELDS)
@pytest.mark.parametrize("size", [0.0101, math.nan, math.inf, -math.inf])
def test_a_value_beyond_its_limit_or_not_finite_fails_its_gate_only(gate: str, size: float):
    sign = 1 if gate == "max_flip_rate" else -1
    bad = replace(GOOD, **{FIELDS[gate]: sign * size})
    got = verdicts(judge("int8", bad, 1, Gates()))
    assert got == {name: name != gate for name in FIELDS}


def test_what_was_not_measured_fails():
    gates = judge("int8", None, None, Gates(max_bytes=10))
    assert len(gates) == 4
    assert not any(gate.passed for gate in gates)
    assert all(gate.value is None for gate in gates)


def test_one_byte_too_many_fails():
    assert not verdicts(judge("int8", GOOD, 1001, Gates(max_bytes=1000)))["max_bytes"]


def test_a_better_artifact_passes_and_no_limit_leaves_no_row():
    better = replace(GOOD, auc_delta=0.2, sensitivity_delta=0.2)
    assert verdicts(judge("int8", better, 1, Gates(max_flip_rate=None))) == {
        "max_auc_drop": True,
        "max_sensitivity_drop": True,
    }


@pytest.mark.parametrize("limit", [-0.1, math.nan, math.inf])
def test_limits_that_judge_nothing_are_refused(limit: float):
    with pytest.raises(InputError, match="gate max_flip_rate is"):
        Gates(max_flip_rate=limit)


@pytest.mark.parametrize(
    ("change", "passes"), [(0.0, True), (0.001, True), (0.0011, False), (None, False), (math.nan, False)]
)
def test_a_file_must_compute_what_its_graph_does(change: float | None, passes: bool) -> None:
    assert graph_gate("int8", change, Gates(), True).passed == passes
    assert "max_graph_dp" not in verdicts(judge("int8", GOOD, 1, Gates(max_graph_dp=0.1)))


def test_a_wider_limit_for_an_inexact_graph_says_why() -> None:
    wide = graph_gate("int8", 0.03, Gates(), False)
    assert wide.passed and wide.limit == 0.05
    assert "inexact_nodes" in wide.reason and "no limit was stated" in wide.reason
    assert graph_gate("int8", 0.03, Gates(), True).reason is None


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("stated", [0.0, 0.001, 0.04, 0.2])
def test_a_limit_that_was_stated_is_judged_as_stated(stated: float, exact: bool) -> None:
    gate = graph_gate("int8", 0.03, Gates(max_graph_dp=stated), exact)
    assert (gate.limit, gate.passed, gate.reason) == (stated, stated >= 0.03, None)
