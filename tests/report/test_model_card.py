import ast
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoma_edge.report import model_card


def matter(card: str) -> dict:
    assert card.startswith("---\n")
    return yaml.safe_load(card.split("\n---\n", maxsplit=1)[0][4:])


def snippet(card: str) -> str:
    return re.search(r"```python\n(.*?)\n```", card, re.DOTALL)[1]


def test_the_front_matter_is_what_hugging_face_reads(report):
    facts = matter(model_card.render_model_card(report, "litert"))
    assert facts["license"] == "cc-by-nc-4.0"
    assert facts["library_name"] == "litert"
    assert facts["pipeline_tag"] == "image-classification"
    assert facts["datasets"] == ["ham10000"]
    assert {"tflite", "onnx", "melanoma"} <= set(facts["tags"])
    (index,) = facts["model-index"]
    (result,) = index["results"]
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"]["split"] == "test"
    measured = {(m["type"], m["name"]): m["value"] for m in result["metrics"]}
    assert len(measured) == 12
    row = report["artifacts"][1]
    assert measured["roc_auc", "AUC, mobilenet_v2_int8.tflite"] == pytest.approx(row["auc"])
    assert measured["recall", "Sensitivity, mobilenet_v2_int8.tflite"] == pytest.approx(row["sensitivity"])


def test_hugging_faces_own_reader_takes_it(report):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(model_card.render_model_card(report, "litert"))
    assert card.data.license == "cc-by-nc-4.0"
    assert card.data.model_name == report["name"]
    assert len(card.data.eval_results) == 12


def test_use_misuse_data_licence_and_evaluation_are_stated(report):
    card = model_card.render_model_card(report, "litert")
    for heading in (
        "Intended use",
        "What it must not be used for",
        "Data and licence",
        "Evaluation",
        "Preprocessing",
        "How to run it",
        "Limits",
    ):
        assert f"\n## {heading}\n" in card
    assert "non-commercial use only" in card
    assert "| `mobilenet_v2_int8.tflite` | 2.69 MB |" in card
    assert "Never a diagnosis" in card
    assert "6,981 training, 1,527 validation, 1,507 test" in card
    assert "resized with antialiased bilinear filtering as Pillow does it" in card
    assert "\n\n\n" not in card


def test_synthetic_data_is_labelled(inputs, build):
    inputs["data"] |= {"clinical": False, "name": "synthetic", "licence": "generated"}
    card = model_card.render_model_card(build(inputs), "litert")
    facts = matter(card)
    assert card.index("Trained on procedural images, not on patients.") < card.index("Intended use")
    assert facts["license"] == "apache-2.0"
    assert "procedural-data" in facts["tags"]
    assert "not clinical" in facts["model-index"][0]["results"][0]["dataset"]["name"]
    assert "non-commercial" not in card


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC BY-NC 4.0", "cc-by-nc-4.0"),
        ("CC BY-NC 4.0 + generated", "cc-by-nc-4.0"),
        ("generated", "apache-2.0"),
        ("unknown", "other"),
        ("CC BY-NC 4.0 + unknown", "other"),
    ],
)
def test_the_strictest_licence_of_the_data_binds_the_weights(inputs, licence, expected, build):
    inputs["data"]["licence"] = licence
    card = model_card.render_model_card(build(inputs), "litert")
    assert matter(card)["license"] == expected
    assert ("non-commercial use only" in card) == ("NC" in licence)
    assert ("license_name" in matter(card)) == (expected == "other")


def test_what_was_not_measured_is_left_out_of_the_index(inputs, build):
    for row in inputs["verify"]["artifacts"]:
        row["auc"] = None
    facts = matter(model_card.render_model_card(build(inputs), "litert"))
    types = {m["type"] for m in facts["model-index"][0]["results"][0]["metrics"]}
    assert types == {"recall", "specificity"}


@pytest.mark.parametrize(("form", "module"), [("tflite", "ai_edge_litert.interpreter"), ("onnx", "onnxruntime")])
def test_the_program_in_the_card_is_python_that_names_the_int8_file(inputs, form, module, build):
    inputs["verify"]["artifacts"] = [a for a in inputs["verify"]["artifacts"] if a["format"] == form]
    report = build(inputs)
    text = snippet(model_card.render_model_card(report, "litert"))
    tree = ast.parse(text)
    assert module in {getattr(node, "module", None) or node.names[0].name for node in tree.body[:3]}
    assert f"int8.{form}" in text
    file = next(a for a in report["artifacts"] if a["precision"] == "int8")
    assert file["file"] in text and f"128, 1, {report['operating_point']['threshold']}" in text


def test_a_leak_and_a_foreign_network_are_said(inputs, build):
    inputs["data"]["split_check"]["groups_shared"] = ["a"]
    inputs["build"]["arch"], inputs["training"] = None, None
    card = model_card.render_model_card(build(inputs), "litert")
    assert "the check found 1 exceptions" in card
    assert "A network that was trained elsewhere" in card


def test_hostile_names_stay_text(inputs, build):
    inputs["build"]["name"] = "x\n---\nlicense: mit\n# '\"`{{7*7}}"
    inputs["verify"]["artifacts"][1]["name"] = "a'\"\\\n_int8.tflite"
    card = model_card.render_model_card(build(inputs), "litert")
    facts = matter(card)
    assert facts["license"] == "cc-by-nc-4.0"
    assert facts["model-index"][0]["name"] == "x --- license: mit # '\"`{{7*7}}"
    ast.parse(snippet(card))


KEYS = st.sampled_from(["license", "model-index", "task_name"])
TEXTS = st.text().map(model_card.wording.plain)
NESTED = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(KEYS, NESTED, min_size=1, max_size=3))
def test_yaml_reads_what_was_written(value):
    assert yaml.safe_load(model_card.yaml(value)) == value
