"""What the report says of changed photographs."""

from melanoma_edge.report.html import render_html
from melanoma_edge.report.markdown import render_markdown
from melanoma_edge.report.robustness import change_title, file_rows, file_sentence, panels, reference_sentence

NAME = "mobilenet_v2_int8.tflite"


def test_changes_have_titles(report):
    titles = [change_title(row) for row in report["robustness"]["changes"]]
    assert titles[0] == "blur, 0.5 % of the side" and titles[2] == "JPEG, quality 30"


def test_the_sentences_name_the_worst_change(report):
    found = report["robustness"]
    said = reference_sentence(found)
    assert "noise, 10 levels: by 0.090 on average, by 0.72 on one image" in said and "on 9 of 100" in said
    own = file_sentence(found, NAME)
    assert "0.0180 apart on average (correlation 0.990), where the reference moves by 0.090" in own
    assert "at most 4 of 100 changed images, and on 1 unchanged ones" in own


def test_rows_and_panels_hold_every_change(report):
    found = report["robustness"]
    assert [row["own"]["flips"] for row in file_rows(found, NAME)] == [3, 6, 4, 10]
    drawn = panels(found, [NAME])
    assert [panel["title"] for panel in drawn] == ["Blur", "JPEG", "Noise"]
    assert drawn[0]["strengths"] == ["0.5", "1"] and len(drawn[0]["files"][NAME]) == 2


def test_the_page_and_the_summary_say_it(report):
    page = render_html(report, {})
    assert reference_sentence(report["robustness"]) in page and "23 points" in page
    assert "Flips apart" in page
    lines = [line for line in render_markdown(report).splitlines() if line.startswith("Other photographs")]
    assert len(lines) == 1 and "int8" in lines[0]


def test_a_file_that_gives_no_numbers_is_said(plain, again):
    broken = plain
    for row in broken["robustness"]["changes"]:
        row["reference"] |= {"mean_abs_dp": None, "max_abs_dp": None}
        for own in row["artifacts"]:
            own |= {"mean_abs_dp": None, "max_abs_dp": None, "correlation": None, "mean_abs_difference": None}
    broken = again(broken)
    assert "no numbers" in reference_sentence(broken["robustness"])
    assert file_sentence(broken["robustness"], NAME) == "It gave no numbers."
    assert "–" in render_html(broken, {})  # noqa: RUF001
