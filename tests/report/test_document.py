import json
import math
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import msgspec
import pytest

from melanoma_edge.artifact import json_text
from melanoma_edge.document import finite
from melanoma_edge.report.document import Report, Verdict, build_report, read_report, verdict
from melanoma_edge.report.html import render_html
from melanoma_edge.report.markdown import render_markdown
from melanoma_edge.report.schemas import made, schema
from melanoma_edge.verify.document import VerifyReport

RECORDED = Path(__file__).parents[2] / "docs" / "results" / "ham10000_mobilenet_v2"
VALIDATOR = jsonschema.Draft202012Validator(schema())


KEPT = ("limit", "points", "latency_ms", "latency", "cold_start_ms")  # were not measured by the proof


def poison(value, what):
    """Every float in a document replaced, but for those KEPT."""
    if isinstance(value, msgspec.Struct):
        return value
    if is_dataclass(value):
        fields = {key: poison(item, what) for key, item in vars(value).items() if key not in KEPT}
        return replace(value, **fields)
    if isinstance(value, tuple):
        return tuple(poison(item, what) for item in value)
    return what if isinstance(value, float) else value


def validate(report):
    VALIDATOR.validate(json.loads(json_text(report)))


@pytest.mark.parametrize("name", ["report", "policy"])
def test_the_published_schemas_are_those_of_the_dataclasses(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert schema(name) == json.loads(json_text(made()[name])), "make schema"


def test_a_report_follows_its_schema_and_is_json(report):
    validate(report)
    assert msgspec.json.decode(json_text(report), type=Report) == report


def test_a_document_is_read_by_name_too(report):
    assert report["artifacts"][1]["auc"] == report.artifacts[1].auc
    with pytest.raises(KeyError, match="nothing"):
        report["nothing"]


def test_the_contract_of_the_design_page_stands(plain):
    report = plain
    assert {"schema_version", "reference", "artifacts", "gates"} <= set(report)
    assert {"device", "threads", "auc"} <= set(report["reference"])
    keys = "name format precision runtime bytes auc auc_delta sensitivity specificity flips flip_rate max_abs_dp"
    for artifact in report["artifacts"]:
        assert {*keys.split(), "mean_abs_dp", "ece", "brier", "latency_ms", "partitions"} <= set(artifact)
        assert set(artifact["latency_ms"]) == {"p50", "p90", "p99", "runs", "threads"}
    assert all({"name", "limit", "value", "passed"} <= set(gate) for gate in report["gates"])


def test_one_thread_is_the_headline_and_every_row_is_kept(report):
    artifact = next(row for row in report["artifacts"] if row["name"] == "mobilenet_v2_int8.tflite")
    assert artifact["latency_ms"].threads == 1
    assert artifact["latency_ms"].p50 == 1.29
    assert [row.threads for row in artifact["latency"]] == [1, 2]
    assert artifact["latency"][1].load_ms == 12.5
    assert artifact["partitions"] == 1
    assert report["reference"]["latency_ms"].p50 == 9.8
    assert artifact["file"] == "tflite/mobilenet_v2_int8.tflite"


def test_what_was_timed_and_not_judged_is_kept_apart(inputs, build):
    bench = dict(inputs["bench"])
    bench["rows"] = [*bench["rows"], {**bench["rows"][0], "name": "reference.onnx", "runtime": "onnxruntime"}]
    told = build({**inputs, "bench": bench})
    validate(told)
    assert [(row["name"], row["runtime"]) for row in told["also_timed"]] == [("reference.onnx", "onnxruntime")]
    assert told["also_timed"][0]["latency_ms"].p50 == bench["rows"][0]["p50"]
    assert "reference.onnx" in render_html(told, {}).replace("<wbr>", "")
    assert build(inputs)["also_timed"] == ()


def test_a_file_that_was_not_timed_has_null(inputs, build):
    inputs["bench"]["rows"] = []
    report = build(inputs)
    validate(report)
    assert report["artifacts"][0]["latency_ms"] is None
    assert report["reference"]["latency"] == ()


@pytest.mark.parametrize("what", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_becomes_null_and_never_ships(report, what):
    proof = VerifyReport(**{field.name: report[field.name] for field in fields(VerifyReport)})
    passed = tuple(replace(gate, value=what, passed=True) for gate in proof.gates)
    bad = replace(proof, artifacts=poison(proof.artifacts, what), gates=passed)
    told = build_report(
        name="n",
        created_utc=report.created_utc,
        build=report.build,
        data=report.data,
        verify=bad,
        bench=report.bench,
    )
    validate(told)
    assert told.artifacts[0].auc is None
    assert not told.verdict.ships
    assert len(told.verdict.reasons) == len(told.gates) == 6
    assert "could not be measured" in told.verdict.reasons[0]


def test_one_failed_gate_is_enough_and_is_named(inputs, build):
    inputs["verify"]["gates"][1] |= {"value": 0.0621, "passed": False}
    report = build(inputs)
    reason = "mobilenet_v2_int8.tflite: Decisions that flip 6.21 %; the limit is 5.00 %"
    assert report["verdict"] == Verdict(False, (reason,))
    validate(report)


def test_without_a_gate_nothing_ships():
    assert verdict([]) == Verdict(False, ("no gate judged it",))


def test_no_training_and_no_flips(inputs, build):
    inputs["training"] = None
    inputs["build"]["arch"] = None
    inputs["verify"]["flips"] = []
    report = build(inputs)
    validate(report)
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
def test_the_schema_refuses_what_is_wrong(plain, path, value):
    wrong = plain
    place = wrong
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(wrong)


def test_robustness_that_was_not_measured_is_null_and_said(inputs, build):
    del inputs["verify"]["robustness"]
    report = build(inputs)
    validate(report)
    assert report["robustness"] is None
    assert "Not measured in this build" in render_html(report, {})
    assert "not measured" in render_markdown(report)


def test_names_that_utf8_cannot_hold_become_text(report):
    named = finite(replace(report, name="a\udcff", files=()))
    assert named.name == "a\\udcff"


def test_the_recorded_report_still_renders():
    """A report of an earlier version: what it did not know has a default."""
    old = read_report(RECORDED)
    assert old.gates and old.verdict.ships
    assert "not a medical device" in render_html(old, {}) and "ships" in render_markdown(old)
