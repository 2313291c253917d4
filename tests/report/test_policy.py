"""policy.json: what it holds, what it answers, and what a user's own advice may look like."""

import copy
import json
import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoma_edge.artifact import json_text
from melanoma_edge.data import quality
from melanoma_edge.data.task import TASKS
from melanoma_edge.errors import InputError
from melanoma_edge.report.advice import build_policy, read_advice
from melanoma_edge.report.schemas import schema
from melanoma_edge.verify.answering import Thresholds
from melanoma_edge.verify.policy import Policy, answer, faults, read_policy

GOOD = {
    "tiers": [
        {"name": "green", "from": -1, "title": "Green", "advice": "Look again."},
        {"name": "amber", "from": -0.5, "title": "Amber", "advice": "See a doctor."},
        {"name": "red", "from": 0, "title": "Red", "advice": "See a doctor now."},
    ],
    "uncertain": {"title": "Unsure", "advice": "See a doctor anyway."},
}


NAME = "m_int8.tflite"


@pytest.fixture(name="policy")
def policy_fixture(report):
    """A policy for one file, of these thresholds."""
    row = next(a for a in report.artifacts if a.precision == "int8")

    def policy(threshold: float = 0.2, rejection: float = 0.6, advice: str | None = None) -> Policy:
        at = Thresholds(threshold, rejection)
        return build_policy("m", TASKS["binary"], [replace(row, name=NAME)], read_advice(advice), at, 0.8)

    return policy


def written(tmp_path, content: object) -> str:
    path = tmp_path / "advice.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_it_keeps_its_schema(policy):
    jsonschema.Draft202012Validator.check_schema(schema("policy"))
    jsonschema.validate(json.loads(json_text(policy())), schema("policy"))


@pytest.mark.parametrize("key", ["threshold", "rejection_threshold", "bounds", "temperature"])
def test_the_schema_misses_what_an_app_needs(key, policy):
    broken = json.loads(json_text(policy()))
    broken["artifacts"][0].pop(key)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema("policy"))


def test_our_own_texts_send_people_to_a_doctor_and_never_diagnose():
    advice = read_advice(None)
    assert [tier.name for tier in advice.tiers] == ["low", "moderate", "high"]
    for tier in (*advice.tiers, advice.uncertain):
        assert "doctor" in tier.advice
        assert not any(word in tier.advice.lower() for word in ("you have", "no melanoma", "healthy", "safe"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(p=st.floats(0, 1), threshold=st.floats(0.001, 0.999), rejection=st.floats(0, math.log(2)))
def test_tier_decision_and_threshold_never_contradict_each_other(policy, p, threshold, rejection):
    told = answer(policy(threshold=threshold, rejection=rejection), "m_int8.tflite", p)
    assert (told.decision == "melanoma") == (p >= threshold) == (told.tier != "low")
    entropy = -sum(q * math.log(q) for q in (p, 1 - p) if q)
    assert told.entropy == pytest.approx(entropy, abs=1e-12)
    if abs(entropy - rejection) > 1e-12:
        assert told.uncertain == (entropy > rejection)
    assert (told.title == "Uncertain") == told.uncertain


def test_bounds_cover_zero_to_one_and_scale_with_the_threshold(tmp_path, policy):
    low, middle = (policy(t, advice=written(tmp_path, GOOD)) for t in (0.2, 0.6))
    assert [told.artifacts[0].bounds for told in (low, middle)] == [(0, 0.1, 0.2), (0, 0.3, 0.6)]
    assert [answer(told, NAME, 0.15).tier for told in (low, middle)] == ["amber", "green"]
    high = [list(policy(threshold=t).artifacts[0].bounds) for t in (0.0, 0.5, 1.0, np.nextafter(1, 2))]
    assert all(bounds == sorted(bounds) and bounds[0] == 0 for bounds in high)


def test_a_tier_above_the_threshold_begins_at_its_share_of_the_rest(tmp_path, policy):
    dark = {"name": "dark", "from": 0.5, "title": "Dark", "advice": "See a doctor today."}
    told = policy(0.2, advice=written(tmp_path, {**GOOD, "tiers": [*GOOD["tiers"], dark]}))
    assert told["artifacts"][0]["bounds"] == pytest.approx([0, 0.1, 0.2, 0.6])
    assert [answer(told, NAME, p).tier for p in (0.59, 0.61)] == ["red", "dark"]


def test_a_file_that_it_does_not_know_is_refused(policy):
    with pytest.raises(InputError, match=r"m\.onnx: it knows m_int8\.tflite"):
        answer(policy(), "m.onnx", 0.5)


def test_no_number_is_uncertain(policy):
    assert answer(policy(), "m_int8.tflite", math.nan).uncertain


def broken(change) -> dict:
    content = copy.deepcopy(GOOD)
    change(content)
    return content


BROKEN = {
    "rising": broken(lambda c: c["tiers"].reverse()),
    "a first of -1": broken(lambda c: c["tiers"].pop(0)),
    "none of 1": broken(lambda c: c["tiers"][2].update({"from": 1})),
    "one begins at 0": broken(lambda c: c["tiers"][2].update({"from": 0.1})),
    "'advice' of tier 2 is ''": broken(lambda c: c["tiers"][1].update(advice="")),
    "'title' of uncertain": broken(lambda c: c["uncertain"].update(title=" ")),
    "'name' of tier 1 is None": broken(lambda c: c["tiers"][0].pop("name")),
    "'from' of tier 1 is True": broken(lambda c: c["tiers"][0].update({"from": True})),
    "'from' of tier 3 is None": broken(lambda c: c["tiers"][2].pop("from")),
    "a number from -1 to": broken(lambda c: c["tiers"][2].update({"from": 10**400})),
    "names that differ": broken(lambda c: c["tiers"][0].update(name="red")),
    "but not 'uncertain'": broken(lambda c: c["tiers"][0].update(name="uncertain")),
    "uncertain is missing": broken(lambda c: c.pop("uncertain")),
    "tier 2 is missing or no object": broken(lambda c: c["tiers"].insert(1, "amber")),
    "no list of tiers": [],
    "is not JSON": "{tiers}",
}


@pytest.mark.parametrize("says", BROKEN)
def test_wrong_advice_is_refused_with_a_reason(tmp_path, says):
    with pytest.raises(InputError) as refusal:
        read_advice(written(tmp_path, BROKEN[says]))
    assert says in str(refusal.value) and "accepted" in str(refusal.value)


def test_a_nan_is_no_bound(tmp_path):
    text = json.dumps(GOOD).replace("-0.5", "NaN")
    with pytest.raises(InputError, match="rising"):
        read_advice(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_advice(str(tmp_path / "missing.json"))


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 99}'])
def test_another_versions_policy_is_refused(tmp_path, text, policy):
    (tmp_path / "policy.json").write_text(text)
    with pytest.raises(InputError, match="build again"):
        read_policy(tmp_path)


def with_capture(told: Policy, **changes) -> Policy:
    return replace(told, capture=replace(quality.guide([quality.measure(SHARP)]), **changes))


SHARP = np.random.default_rng(0).integers(90, 160, (40, 40, 3), np.uint8)


def test_the_capture_block_keeps_its_schema_and_finds_faults(policy):
    told = with_capture(policy())
    jsonschema.validate(json.loads(json_text(told)), schema("policy"))
    assert faults(told, SHARP) == []
    assert faults(told, np.zeros_like(SHARP)) == ["blurred", "too_dark", "no_lesion"]
    assert faults(policy(), np.zeros_like(SHARP)) == []


def test_limits_of_other_measures_are_refused(policy):
    with pytest.raises(InputError, match="version 2 of the capture quality; accepted is 1"):
        faults(with_capture(policy(), version=2), SHARP)
