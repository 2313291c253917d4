import csv
import io
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoma_edge.document import finite
from melanoma_edge.report import ledger
from melanoma_edge.verify.document import FlipRow


def flip(image, label, before, after, artifact="a"):
    direction = "melanoma->other" if before > after else "other->melanoma"
    if math.isnan(before) or math.isnan(after):
        direction = "undefined"
    return finite(FlipRow(artifact, image, label, before, after, direction))


@pytest.fixture(name="listed")
def listed_fixture(report):
    """The entries of a report with these flips."""

    def listed(*flips, melanoma="melanoma"):
        task = replace(report.build.task, classes=("other", melanoma))
        return ledger.entries(replace(report, build=replace(report.build, task=task), flips=flips))

    return listed


def test_missed_melanomas_come_first_then_flips_away_then_the_largest_change(listed):
    order = listed(
        flip("up small", "other", 0.49, 0.51),
        flip("up large", "melanoma", 0.1, 0.9),
        flip("away", "other", 0.51, 0.2),
        flip("missed small", "melanoma", 0.51, 0.49),
        flip("missed large", "melanoma", 0.9, 0.1),
    )
    assert [entry.image_id for entry in order] == ["missed large", "missed small", "away", "up large", "up small"]
    assert [entry.missed for entry in order] == [True, True, False, False, False]


def test_an_image_is_one_entry_with_every_file_that_changed_it(listed):
    (entry,) = listed(flip("x", "mel", 0.6, 0.4, "a"), flip("x", "mel", 0.6, 0.3, "b"), melanoma="mel")
    assert [(change.artifact, change.p) for change in entry.changes] == [("a", 0.4), ("b", 0.3)]
    assert entry.missed
    assert entry.moved == 0.3


def test_a_network_without_a_number_is_listed(listed):
    (entry,) = listed(flip("x", "other", 0.6, math.nan))
    assert entry.changes[0].p is None
    assert entry.moved == 0


def test_pictured_are_the_first_entries(report):
    entries = ledger.entries(report)
    assert len(entries) == 36
    assert ledger.pictured(report, 5) == [entry.image_id for entry in entries[:5]]
    assert sum(entry.missed for entry in entries) == 2
    assert all(entry.missed for entry in entries[:2])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.floats(0, 1), st.floats(0, 1)), max_size=12))
def test_nothing_is_lost(listed, flips):
    listing = listed(*(flip(i, "melanoma" if m else "other", p, q) for i, m, p, q in flips))
    assert sum(len(entry.changes) for entry in listing) == len(flips)
    assert {entry.image_id for entry in listing} == {i for i, *_ in flips}
    missed = [entry.missed for entry in listing]
    assert missed == sorted(missed, reverse=True)


def test_the_csv_has_every_flip_with_both_decisions(report):
    rows = list(csv.DictReader(io.StringIO(ledger.render_csv(report))))
    assert len(rows) == len(report["flips"]) > 0
    for row, flip in zip(rows, report["flips"], strict=True):
        assert row["image_id"] == flip["image_id"] and row["artifact"] == flip["artifact"]
        assert f"{row['decision_reference']}->{row['decision_artifact']}" == flip["direction"]
        assert row["p_reference"] == ("" if flip["p_reference"] is None else str(flip["p_reference"]))


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1"])
def test_a_name_is_no_formula_in_a_spreadsheet(report, name):
    told = replace(report, flips=(FlipRow("=a", name, "other", 0.1, 0.9, "other->melanoma", "=b"),))
    (row,) = csv.DictReader(io.StringIO(ledger.render_csv(told)))
    assert row["image_id"] == f"'{name}" and row["artifact"] == "'=a" and row["diagnosis"] == "'=b"
    assert row["p_reference"] == "0.1"
