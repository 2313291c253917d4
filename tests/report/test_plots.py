import copy
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from melanoma_edge.report import plots, wording
from melanoma_edge.report.plots import photographs
from melanoma_edge.verify.bland_altman import Agreement
from melanoma_edge.verify.document import Curve

FIGURES = (plots.roc, plots.bland_altman, plots.confusion, plots.cost, plots.robustness, plots.answering)
SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def parse(svg) -> ET.Element:
    return ET.fromstring(str(svg).replace("<svg ", f"<svg {SPACES}", 1))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.__name__)
def test_a_figure_is_svg_with_words_for_who_cannot_see_it(report, figure):
    svg = figure(report)
    root = parse(svg)
    assert root.get("viewBox").startswith("0 0 ")
    assert root[0].tag.endswith("title")
    assert len(root[0].text) > 40
    assert root[0].get("id") == root.get("aria-labelledby")


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.__name__)
def test_a_figure_has_only_colours_of_the_page(report, figure):
    styles = re.findall(r'style="([^"]*)"', str(figure(report)))
    assert any("var(--" in style for style in styles)
    assert not re.search(r"#[0-9a-f]{6}|rgb", " ".join(styles))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.__name__)
def test_equal_inputs_give_equal_bytes(report, figure):
    assert figure(report) == figure(copy.deepcopy(report))


def test_roc_has_a_curve_a_file_and_one_for_the_reference(report):
    svg = str(plots.roc(report))
    for words in ("reference  0.9326", "int8.tflite  0.9285", "float32.onnx  0.9326", "At the operating point"):
        assert words in svg
    assert svg.count("var(--series-4)") >= 4  # a line and a dot in two panels


def test_bland_altman_draws_a_dot_an_image_and_the_limits_of_compressed_files(report):
    svg = str(plots.bland_altman(report))
    found = next(row["bland_altman"] for row in report["artifacts"] if row["precision"] == "int8")
    for key in ("low", "bias", "high"):
        assert f">{wording.signed(found[key])}<" in svg
    assert "int8.tflite" in svg and "float32" not in svg
    assert svg.count("<use ") >= 2 * len(found["points"]) == 2 * report["reference"]["n"]


def test_confusion_shows_the_counts(report):
    svg = str(plots.confusion(report))
    for row in (report["reference"], *report["artifacts"]):
        for count in vars(row["confusion"]).values():
            assert f">{count:,}<" in svg


def test_cost_draws_a_bar_for_each_file_and_thread_count(report):
    svg = str(plots.cost(report))
    assert "1 thread" in svg
    assert "2 threads" in svg
    assert ">2.69<" in svg
    assert ">1.29<" in svg


def test_robustness_has_a_panel_a_kind_and_a_line_a_compressed_file(report):
    svg = str(plots.robustness(report))
    for words in ("Blur", "JPEG", "Noise", "% of the side", "int8.tflite", "int8.onnx", "reference"):
        assert f">{words}<" in svg
    assert "float32" not in svg


def test_one_disturbed_run_does_not_hide_the_bars(inputs, build):
    inputs["bench"]["rows"][1]["p99"] = 9000.0
    svg = str(plots.cost(build(inputs)))
    assert not re.search(r">[1-9]\d{3}<", svg)


def test_a_report_without_timings_or_curves_still_draws(report):
    bare = {
        "latency": (),
        "latency_ms": None,
        "answering": None,
        "roc": Curve((), ()),
        "sensitivity": None,
        "auc": None,
    }
    nothing = Agreement(None, None, None, None, ())
    blank = replace(
        report,
        reference=replace(report.reference, **bare),
        artifacts=tuple(replace(row, **bare, bland_altman=nothing) for row in report.artifacts),
    )
    for figure in FIGURES:
        parse(figure(blank))


def test_hostile_names_are_text_and_no_formulas(report):
    hostile = tuple(replace(row, name=f"<b>$\\frac{i}$&\x00") for i, row in enumerate(report.artifacts))
    for figure in FIGURES:
        svg = figure(replace(report, artifacts=hostile))
        parse(svg)
        assert "<b>" not in svg


def test_answers_have_a_line_a_file_and_says_what_refusal_does(report):
    svg = str(plots.answering(report))
    assert "Reliability" in svg and "Accuracy and refusal" in svg
    assert "reference ECE 0.031, accuracy" in svg
    files = [row for row in report["artifacts"] if row.answering]
    assert svg.count("with refusal") == len(files) + 1


def test_a_file_that_answers_few_bins_and_nothing_still_draws(report):
    row = report.artifacts[1]
    none = replace(row.answering.answered, n=0, accuracy=None)
    lean = replace(row, answering=replace(row.answering, reliability=(), answered=none))
    parse(plots.answering(replace(report, artifacts=(lean,))))


def test_many_files_get_more_rows_of_matrices(report):
    many = tuple(replace(row, name=f"m_{i}{row.name}") for i in range(3) for row in report.artifacts)
    figures = [plots.confusion(replace(report, artifacts=rows)) for rows in ((), many)]
    heights = [float(parse(figure).get("viewBox").split()[3]) for figure in figures]
    assert heights[1] == pytest.approx(3 * heights[0], rel=1e-3)


def test_training_marks_the_best_epoch_and_lives_with_gaps(report):
    epochs = report.training.history
    history = [*epochs, replace(epochs[0], epoch=9, val_auc=None)]
    svg = plots.training(history, 7)
    parse(svg)
    assert "The best epoch is 7." in svg
    assert "validation" in svg
    parse(plots.training(history[:1], None))


def test_every_panel_of_other_photographs_shows_its_lines(report, monkeypatch):
    drawn = []

    def look(name, draw, height, alt):
        figure = Figure()
        draw(figure)
        drawn.extend(figure.axes)
        return ""

    monkeypatch.setattr(photographs, "svg", look)
    plots.robustness(report)
    assert len(drawn) > 1
    for axes in drawn:
        highest = max(float(np.nanmax(np.asarray(line.get_ydata(), float))) for line in axes.lines)
        assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] >= highest
