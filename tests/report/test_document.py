import copy
import json
import math

import jsonschema
import pytest

from melanoma_edge.report.document import build_report, jsonable, schema, verdict
from melanoma_edge.report.html import render_html
from melanoma_edge.report.markdown import render_markdown

VALIDATOR = jsonschema.Draft202012Validator(schema())


def poison(value, what):
    """Every float in a nested value replaced."""
    if isinstance(value, dict):
        return {key: poison(item, what) for key, item in value.items()}
    if isinstance(value, list):
        return [poison(item, what) for item in value]
    return what if isinstance(value, float) else value


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_report_follows_its_schema_and_is_json(report):
    VALIDATOR.validate(report)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_contract_of_the_design_page_stands(report):
    assert {"schema_version", "reference", "artifacts", "gates"} <= set(report)
    assert {"device", "threads", "auc"} <= set(report["reference"])
    keys = "name format precision runtime bytes auc auc_delta sensitivity specificity flips flip_rate max_abs_dp"
    for artifact in report["artifacts"]:
        assert {*keys.split(), "mean_abs_dp", "ece", "brier", "latency_ms", "partitions"} <= set(artifact)
        assert set(artifact["latency_ms"]) == {"p50", "p90", "p99", "runs", "threads"}
    assert all({"name", "limit", "value", "passed"} <= set(gate) for gate in report["gates"])


def test_one_thread_is_the_headline_and_every_row_is_kept(report):
    artifact = next(row for row in report["artifacts"] if row["name"] == "mobilenet_v2_int8.tflite")
    assert artifact["latency_ms"]["threads"] == 1
    assert artifact["latency_ms"]["p50"] == 1.29
    assert [row["threads"] for row in artifact["latency"]] == [1, 2]
    assert artifact["latency"][1]["load_ms"] == 12.5
    assert artifact["partitions"] == 1
    assert report["reference"]["latency_ms"]["p50"] == 9.8
    assert artifact["file"] == "tflite/mobilenet_v2_int8.tflite"


def test_what_was_timed_and_not_judged_is_kept_apart(inputs):
    bench = dict(inputs["bench"])
    bench["rows"] = [*bench["rows"], {**bench["rows"][0], "name": "reference.onnx", "runtime": "onnxruntime"}]
    made = build_report(**{**inputs, "bench": bench})
    VALIDATOR.validate(made)
    assert [(row["name"], row["runtime"]) for row in made["also_timed"]] == [("reference.onnx", "onnxruntime")]
    assert made["also_timed"][0]["latency_ms"]["p50"] == bench["rows"][0]["p50"]
    assert "reference.onnx" in render_html(made, {}).replace("<wbr>", "")
    assert build_report(**inputs)["also_timed"] == []


def test_a_file_that_was_not_timed_has_null(inputs):
    inputs["bench"] = {"rows": []}
    report = build_report(**inputs)
    VALIDATOR.validate(report)
    assert report["artifacts"][0]["latency_ms"] is None
    assert report["reference"]["latency"] == []


@pytest.mark.parametrize("what", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_becomes_null_and_never_ships(inputs, what):
    inputs["verify"]["artifacts"] = poison(inputs["verify"]["artifacts"], what)
    inputs["verify"]["gates"] = [{**g, "value": what, "passed": True} for g in inputs["verify"]["gates"]]
    report = build_report(**inputs)
    VALIDATOR.validate(report)
    assert report["artifacts"][0]["auc"] is None
    assert not report["verdict"]["ships"]
    assert len(report["verdict"]["reasons"]) == len(report["gates"]) == 6
    assert "could not be measured" in report["verdict"]["reasons"][0]


def test_one_failed_gate_is_enough_and_is_named(inputs):
    inputs["verify"]["gates"][1] |= {"value": 0.0621, "passed": False}
    report = build_report(**inputs)
    assert report["verdict"] == {
        "ships": False,
        "reasons": ["mobilenet_v2_int8.tflite: Decisions that flip 6.21 %; the limit is 5.00 %"],
    }
    VALIDATOR.validate(report)


def test_without_a_gate_nothing_ships():
    assert verdict([]) == {"ships": False, "reasons": ["no gate judged it"]}


def test_no_training_and_no_flips(inputs):
    inputs["training"] = None
    inputs["build"]["arch"] = None
    inputs["verify"]["flips"] = []
    report = build_report(**inputs)
    VALIDATOR.validate(report)
    assert report["training"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("artifacts", 0, "flips"), None),
        (("artifacts", 0, "auc"), 1.2),
        (("artifacts", 0, "latency_ms"), {"p50": 1.0}),
        (("gates", 0, "passed"), False),  # the verdict still says that it ships
        (("gates", 0, "value"), None),  # a gate without a value cannot have passed
        (("gates",), []),
        (("flips", 0, "direction"), "sideways"),
        (("operating_point", "chosen_on"), "test"),
        (("files", 0, "sha256"), "abc"),
        (("schema_version",), 2),
    ],
)
def test_the_schema_refuses_what_is_wrong(report, path, value):
    wrong = copy.deepcopy(report)
    place = wrong
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(wrong)


def test_robustness_that_was_not_measured_is_null_and_said(inputs):
    del inputs["verify"]["robustness"]
    report = build_report(**inputs)
    VALIDATOR.validate(report)
    assert report["robustness"] is None
    assert "Not measured in this build" in render_html(report, {})
    assert "not measured" in render_markdown(report)


def test_the_inputs_are_left_alone(inputs):
    before = copy.deepcopy(inputs)
    build_report(**inputs)
    assert inputs == before


def test_names_that_utf8_cannot_hold_become_text():
    assert jsonable({"a\udcff": ["\udc80", 1, True, None, 0.5]}) == {"a\\udcff": ["\\udc80", 1, True, None, 0.5]}
