import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.report import wording
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.paired import NonInferiority


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (wording.number(0.89602), "0.8960"),
        (wording.number(2.4e-7), "< 0.0001"),
        (wording.number(-2.4e-7), f"> {wording.MINUS}0.0001"),
        (wording.number(0.0), "0.0000"),
        (wording.number(None), wording.ABSENT),
        (wording.number(math.nan), wording.ABSENT),
        (wording.signed(0.0025), "+0.0025"),
        (wording.signed(-0.0025), f"{wording.MINUS}0.0025"),
        (wording.signed(-1e-9), "0.0000"),
        (wording.percent(0.0226, 2), "2.26 %"),
        (wording.percent(math.inf), wording.ABSENT),
        (wording.integer(1507), "1,507"),
        (wording.megabytes(2_690_544), "2.69 MB"),
        (wording.megabytes(40_123), "40.1 kB"),
        (wording.duration(9.04), "9.0 s"),
        (wording.duration(1680), "28 min"),
        (wording.duration(7500), "2 h 5 min"),
        (wording.change(0.49321, 0.4881), "0.493 → 0.488"),
        (wording.change(0.491021, 0.491011), "0.49102 → 0.49101"),
        (wording.change(0.5, None), f"0.500 → {wording.ABSENT}"),
        (wording.change(0.5, 0.5), "0.500000 → 0.500000"),
        (wording.direction("melanoma->other"), "melanoma → other"),
    ],
)
def test_figures(words, expected):
    assert words == expected


def test_gates_are_worded_in_the_unit_they_are_judged_in():
    gate = Gate("max_bytes", "a.tflite", 2_000_000, 2_690_544, False)
    assert wording.gate_reason(gate) == "a.tflite: Size 2.69 MB; the limit is 2.00 MB"
    assert wording.gate_reason(replace(gate, name="max_new_thing", limit=0.5, value=None)) == (
        "a.tflite: New thing could not be measured; the limit is 0.5000"
    )


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["mole_float32.tflite", "mole_int8.tflite", "mole_int8.onnx"], ["float32.tflite", "int8.tflite", "int8.onnx"]),
        (["a_int8.tflite"], ["a_int8.tflite"]),
        (["x.tflite", "y.tflite"], ["x.tflite", "y.tflite"]),
        ([], []),
    ],
)
def test_short_names_drop_what_all_begin_with(names, short):
    assert list(wording.short_names(names).values()) == short


@given(st.lists(st.text(alphabet="ab_.", min_size=1, max_size=8), unique=True, max_size=5))
def test_short_names_stay_different(names):
    short = wording.short_names(names)
    assert set(short) == set(names)
    assert len(set(short.values())) == len(names)


@given(st.text())
def test_plain_is_one_line_that_runs_left_to_right(text):
    line = wording.plain(text, 50)
    assert len(line) <= 50
    assert len(line.splitlines()) <= 1
    assert not set(line) & set("\x00\x1b\x7f\u2028\u202e\u2066\ufffe")
    line.encode()


@given(st.text())
def test_breakable_escapes(text):
    assert "<" not in str(wording.breakable(text)).replace("<wbr>", "")


def test_breakable_breaks_at_underscores_and_before_the_suffix():
    assert str(wording.breakable("v2_int8.tflite")) == "v2_<wbr>int8<wbr>.tflite"


@pytest.mark.parametrize(
    ("verdict", "needed", "words"),
    [
        ("not inferior", None, "less than a loss of 0.010"),
        ("inferior", None, "more than a loss of 0.010"),
        ("cannot tell", 924, "too few to rule out a loss of 0.010: about 924 are needed"),
        ("cannot tell", None, "too few to rule out a loss of 0.010."),
    ],
)
def test_a_ruling_says_what_it_lacks(verdict: str, needed: int | None, words: str) -> None:
    told = NonInferiority(verdict, 0.01, -0.006, -0.033, 0.016, 171, needed)
    assert words in wording.ruling(told) and "171 melanomas" in wording.ruling(told)


def test_small_differences_keep_their_size() -> None:
    assert (
        wording.tiny(2.4e-7) == "2.4e-07" and wording.tiny(0.0312) == "0.031" and wording.tiny(None) == wording.ABSENT
    )
