"""Tables say what they were given: brackets are no markup, minus zero is zero, long names fold."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from melanoma_edge import console
from melanoma_edge.bench.document import BenchReport, BenchRow, Latency, Ratio
from melanoma_edge.bench.machine import machine
from melanoma_edge.errors import Caution
from melanoma_edge.shipped import Answered, ImageAnswer
from melanoma_edge.verify.answering import Uncertainty
from melanoma_edge.verify.document import ArtifactRow, Counts, Curve, ReferenceRow, VerifyReport
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.operating_point import OperatingPoint


def printed(table: object, width: int = 80) -> str:
    screen = Console(width=width, record=True, file=io.StringIO())
    screen.print(table)
    return screen.export_text()


def row(name: str) -> ArtifactRow:
    return ArtifactRow(
        name=name,
        format="tflite",
        precision="int8",
        runtime="r",
        runtime_version="1",
        bytes=2_460_000,
        auc=0.9056,
        auc_delta=0.0,
        sensitivity=0.947,
        specificity=0.65,
        ece=None,
        brier=None,
        flips=20,
        flip_rate=0.01,
        max_abs_dp=0.1,
        mean_abs_dp=0.0126,
        partitions=1,
        latency_ms=Latency(1.87, 2.0, 3.0, 100, 1),
        confusion=Counts(1, 1, 1, 1),
        roc=Curve((), ()),
        uncertainty=Uncertainty(3, 2, 1400, 4),
    )


def verified(*rows: ArtifactRow) -> VerifyReport:
    scores = {"auc": 0.9, "sensitivity": 0.95, "specificity": None, "ece": None, "brier": None}
    reference = ReferenceRow(n=9, melanomas=2, confusion=Counts(1, 1, 1, 1), roc=Curve((), ()), **scores)
    point, wide = (
        OperatingPoint("youden", 0.3, "val"),
        Gate("max_graph_dp", "a.tflite", 0.05, 0.02, True, "it is inexact"),
    )
    return VerifyReport(
        operating_point=point,
        reference=reference,
        artifacts=rows,
        gates=(wide,),
        flips=(),
        agreement=(),
        warnings=(Caution("odd", "an AUC of\n0.4"),),
    )


def test_warnings_uncertain_answers_and_the_reasons_of_limits_are_said() -> None:
    report = verified(row("a.tflite"))
    assert console.warning_lines(report) == ["warning: an AUC of\\n0.4"]
    uncertain, limit = console.notes(report)
    assert uncertain.startswith("a.tflite: 3 images became uncertain and 2 answered; 4 flips among the 1,400")
    assert "the limit is 0.0500, since it is inexact" in limit


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\x07b", "a\rb\nc", "\u202ereversed", "\udcff"])
def test_control_characters_of_names_are_escaped(name: str) -> None:
    text = printed(console.fact_table([(name, "[bold]x[/]")], ("name", "what")), 200)
    assert not {"\x1b", "\x07", "\r", "\u202e", "\udcff"} & set(text) and len(text.splitlines()) == 2
    assert "\\" in text and "[bold]x[/]" in text


def test_brackets_are_text() -> None:
    assert "'melanoma-edge[tensorflow]'" in printed(
        console.fact_table([("pip", "'melanoma-edge[tensorflow]'")], ("a", "b"))
    )


def test_the_reference_stands_first_and_what_it_lacks_is_a_dash() -> None:
    report = verified(row("a[b].tflite"))
    lines = printed(console.result_table(report)).splitlines()
    assert lines[1].split() == ["reference", "-", "0.9000", "0.950", "-", "-", "-", "-", "-"]
    assert lines[2].split() == ["a[b].tflite", "2.46", "0.9056", "0.947", "0.650", "20", "0.0126", "1.87", "1"]


def test_a_long_name_is_whole() -> None:
    report = verified(row("ham10000_mobilenet_v2_float32.tflite"))
    text = printed(console.result_table(report))
    assert "ham10000_mobilenet_v2_float32.tflite" in "".join(line.split(" ")[0] for line in text.splitlines())


def test_a_file_that_is_timed_has_a_name_at_80_columns() -> None:
    timed = BenchRow(
        name="lesion_int8.tflite",
        runtime="ai-edge-litert",
        runtime_version="2.3.0",
        device="cpu",
        bytes=1,
        p50=123.456,
        p90=123.456,
        p99=123.456,
        runs=100,
        threads=2,
        ratio=Ratio(1, 1, 1),
        load_ms=123.456,
        first_run_ms=123.456,
        partitions=1,
        operators=60,
        outside_delegate=(),
        peak_memory_bytes=123_400_000,
    )
    report = BenchReport("by turns", timed.name, machine(), None, (), (timed,), None, ())
    lines = printed(console.latency_table(report)).splitlines()
    assert len(lines) < 6 and "".join(line[:8].split(" ")[0] for line in lines[2:]).startswith("lesion")
    assert all(head in " ".join(lines[:2]).split() for head in ("p99", "first", "peak", "MB", "parts"))


def test_zero_has_no_sign() -> None:
    gate = Gate("max_auc_drop", "a", 0.01, -0.00001, True)
    assert "-0.0000" not in printed(console.gate_table([gate]))


def test_a_prediction_shows_its_tier_or_that_it_is_uncertain() -> None:
    sure = ImageAnswer(image="a.jpg", probability=0.7, decision="melanoma", tier="high", uncertain=False)
    rows = (sure, replace(sure, uncertain=True), ImageAnswer(image="b.jpg", error="truncated"))
    lines = printed(console.prediction_table(Answered("m", "r", 0.25, 0.6, {}, rows))).splitlines()
    assert "decision at 0.2500" in lines[0]
    assert [line.split()[-1] for line in lines[1:4]] == ["high", "uncertain", "-"]


def test_advice_is_said_once_a_tier_and_once_a_fault_with_its_pictures() -> None:
    judged = [
        ImageAnswer(image=f"x/{i}.jpg", title="Low", advice="Look again.", capture=("blurred" if i else "cut",))
        for i in range(7)
    ]
    said = {"blurred": "Hold still.", "cut": "Move back.", "too_dark": "Light."}
    found = console.advice(Answered("m", "r", 0.25, 0.6, said, (*judged, ImageAnswer(image="b.jpg", error="?"))))
    assert found == {
        "Low": "Look again.",
        "blurred": "Hold still. (1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg and 1 more)",
        "cut": "Move back. (0.jpg)",
    }
