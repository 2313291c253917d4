import copy

from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.report import markdown


def test_the_summary_has_verdict_files_and_gates(report):
    text = markdown.render_markdown(report)
    lines = text.splitlines()
    assert lines[0] == "## mobilenet\\_v2-ham10000: ships"
    assert "| `mobilenet_v2_int8.tflite` | 2.69 MB | 1.29 | 0.9285 |" in text
    assert "| Decisions that flip | `mobilenet_v2_int8.tflite` | holds | 2.39 % | 5.00 % |" in text
    assert lines[-1] == "An aid for engineers and researchers, never a diagnosis."
    assert text.endswith("\n")


def test_one_line_tells_of_calibration_and_refusal(report):
    (line,) = [line for line in markdown.render_markdown(report).splitlines() if line.startswith("Temperature")]
    own = report["artifacts"][1]["answering"]
    refused = own["all"]["n"] - own["answered"]["n"]
    assert line.startswith("Temperature 1.630 is folded in, ") and "`mobilenet_v2_int8.tflite`" in line
    assert f"{refused:,} of 1,507 images refused" in line and refused > 0


def test_every_row_of_a_table_has_as_many_cells_as_its_head(report):
    tables = [part for part in markdown.render_markdown(report).split("\n\n") if part.startswith("|")]
    assert len(tables) == 2
    for table in tables:
        assert len({line.count(" | ") for line in table.splitlines()}) == 1


def test_a_failed_gate_and_synthetic_data_are_said(inputs, build):
    inputs["data"]["clinical"] = False
    inputs["verify"]["gates"][0] |= {"value": float("nan"), "passed": False}
    text = markdown.render_markdown(build(inputs))
    assert "does not ship" in text.splitlines()[0]
    assert "AUC lost could not be measured" in text
    assert "**fails**" in text
    assert "**Procedural images, not patients: no figure here is clinical.**" in text


def test_hostile_names_stay_text(inputs, build):
    inputs["build"]["name"] = "a|b\n# <img src=x> [x](y) `c`"
    inputs["verify"]["artifacts"][0]["name"] = "a`|`\n<b>"
    text = markdown.render_markdown(build(inputs))
    assert text.startswith("## a\\|b \\# \\<img src=x\\> \\[x\\](y) \\`c\\`: ships\n")
    assert "| `a'\\|' <b>` |" in text


@given(st.text())
def test_text_and_code_fit_into_one_cell(value):
    for cell in (markdown.text(value), markdown.code(value)):
        assert len(cell.splitlines()) <= 1
        assert "|" not in cell.replace("\\|", "")


def test_equal_inputs_give_equal_bytes(report):
    assert markdown.render_markdown(report) == markdown.render_markdown(copy.deepcopy(report))
