import base64
import json
import re

import jsonschema
import pytest

from melanoma_edge.artifact import json_text
from melanoma_edge.report import looks
from melanoma_edge.report.html import render_html
from melanoma_edge.report.markdown import render_markdown
from melanoma_edge.report.schemas import schema

DRAWN = "mobilenet_v2_int8.tflite"
OUTCOMES = ("false negative", "true positive", "true negative")


@pytest.fixture
def mapped(inputs, build):
    inputs["verify"]["heat_maps"] = {
        "shape": [7, 7],
        "images": 203,
        "drawn": DRAWN,
        "agreement": [{"artifact": DRAWN, "images": 203, "median": 0.9876, "lowest": None}],
        "cases": [
            {
                "image_id": f"ISIC_{i}",
                "outcome": outcome,
                "label": "melanoma" if "true p" in outcome or "false n" in outcome else "other",
                "diagnosis": "mel <b>",
                "p_reference": 0.91,
                "p_artifact": 0.88,
                "correlation": 0.97,
            }
            for i, outcome in enumerate(OUTCOMES)
        ],
    }
    report = build(inputs)
    jsonschema.validate(json.loads(json_text(report)), schema())
    return report


def test_images_are_grouped_by_outcome_and_have_three_pictures(mapped):
    found = looks.groups(mapped)
    assert [title for title, _ in found] == [
        looks.TITLES[n] for n in ("true positive", "false negative", "true negative")
    ]
    assert [view.name for view in found[0][1][0].views] == ["", "reference", DRAWN]


def test_the_page_holds_each_picture_with_words_for_it(mapped, thumbnail):
    pictures = {(f"ISIC_{i}", name): thumbnail for i in range(2) for name in ("", "reference", DRAWN)}
    page = render_html(mapped, {}, pictures)
    section = page[page.index('<section id="heat_maps"') :].split("</section>")[0]
    images = re.findall(r'<img src="([^"]*)" alt="([^"]*)"', section)
    assert len(images) == 6 and section.count("no picture") == 3
    assert {source for source, _ in images} == {f"data:image/jpeg;base64,{base64.b64encode(thumbnail).decode()}"}
    assert len({words for _, words in images}) == 6
    assert "Heat map of mobilenet_v2_int8.tflite over ISIC_0; probability of melanoma 0.880" in section
    assert "mel &lt;b&gt;" in section and "<b>" not in section
    assert "0.988" in section and "–" in section  # noqa: RUF001


def test_without_heat_maps_a_line_says_how_to_get_them(report):
    assert looks.groups(report) == []
    page = render_html(report, {})
    section = page[page.index('<section id="heat_maps"') :].split("</section>")[0]
    assert "melanoma-edge build --heat-map" in section and "<img" not in section
    assert "heat maps" not in render_markdown(report)


def test_the_summary_tells_the_agreement(mapped):
    assert "`mobilenet_v2_int8.tflite`: heat maps correlate with the float network's by 0.988" in render_markdown(
        mapped
    )
