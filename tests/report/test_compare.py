"""Builds side by side: a row a compressed file, what differs between them told, nothing from outside as markup."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_edge.artifact import json_text
from melanoma_edge.errors import InputError
from melanoma_edge.report.compare import HEADS, differences, render_comparison, rows
from melanoma_edge.report.document import read_report
from melanoma_edge.report.html import render_comparison_page
from melanoma_edge.shipped import report as rendered


def dumped(plain: dict, **changes: object) -> str:
    return json.dumps({**plain, **changes})


SPOILED = {
    "another version": lambda plain: dumped(plain, schema_version=2),
    "a key is missing": lambda plain: json.dumps({key: value for key, value in plain.items() if key != "gates"}),
    "another type": lambda plain: dumped(plain, artifacts="many"),
    "NaN": lambda plain: dumped(plain, operating_point={**plain["operating_point"], "threshold": float("nan")}),
    "deep": lambda plain: "[" * 10_000 + "]" * 10_000,
    "a list": lambda plain: "[]",
    "no JSON": lambda plain: "{",
}


@pytest.fixture
def pair(report):
    other = replace(report, name="second <b>|", operating_point=replace(report.operating_point, rule="youden"))
    return [report, other]


def test_every_compressed_file_has_a_row(pair):
    found = rows(pair)
    wanted = sum(a["precision"] != "float32" for a in pair[0]["artifacts"])
    assert len(found) == 2 * wanted > 0 and all(len(row) == len(HEADS) for row in found)
    assert found[0][-1] == "cannot tell" and float(found[0][5]) < 1


def test_what_must_not_be_compared_is_told(pair):
    assert differences([pair[0], pair[0]]) == []
    (line,) = differences(pair)
    assert "operating points" in line and "youden" in line


def test_names_are_text_in_every_form(pair):
    markdown, page = render_comparison(pair), render_comparison_page(pair)
    assert "second <b>" not in page and "<b>|" not in markdown
    assert len([line for line in markdown.splitlines() if line.startswith("|")]) == 2 + len(rows(pair))
    assert "http" not in page.split("</style>")[1]


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
@pytest.mark.parametrize("count", [1, 2])
def test_one_build_or_several(report, tmp_path: Path, form: str, count: int):
    for i in range(count):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "report.json").write_text(json_text(replace(report, name=f"build {i}")))
    text = rendered([tmp_path / str(i) for i in range(count)], form)
    assert all(f"build {i}" in text for i in range(count))
    if form == "json":
        assert isinstance(json.loads(text), dict if count == 1 else list)


def test_a_folder_without_a_report_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"report\.json is missing: build again"):
        read_report(tmp_path)


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_malformed_report_is_refused_in_one_line(plain, tmp_path: Path, spoil: str):
    (tmp_path / "report.json").write_text(SPOILED[spoil](plain))
    with pytest.raises(InputError, match="not what melanoma-edge wrote") as refusal:
        read_report(tmp_path)
    assert len(str(refusal.value).splitlines()) == 1
