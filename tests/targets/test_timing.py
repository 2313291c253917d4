"""The order by latency, what is missing to measure it, and which models a package then holds."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_edge.artifact import Artifact
from melanoma_edge.bench import browser
from melanoma_edge.bench.document import BrowserReport
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.progress import silent
from melanoma_edge.targets import _npm, _timing, web

FILES = {
    (form, precision): Artifact(Path(f"m_{precision}.{form}"), "", form, precision)
    for form in ("onnx", "tflite")
    for precision in ("float32", "int8", "weight_only_wi8_afp32")
    if (form, precision) != ("tflite", "weight_only_wi8_afp32")
}
PREFERRED = ["m_int8.tflite", "m_float32.tflite", "m_weight_only_wi8_afp32.onnx", "m_float32.onnx", "m_int8.onnx"]


ANSWERING = """
import json, pathlib, sys, urllib.request
if "--version" in sys.argv:
    print("Chromium 1.2.3.4")
    sys.exit()
site = sys.argv[-1].rpartition("/")[0]
with urllib.request.urlopen(f"{site}/told.json") as answer:
    told = json.load(answer)
taken = {m["file"]: [1.0 if m["file"] == "m_int8.onnx" else 4.0] * told["runs"] for m in told["models"]}
body = json.dumps({"milliseconds": taken, "integerDot": True}).encode()
with (pathlib.Path(__file__).parent / "answered").open("a") as file:
    file.write("once")
urllib.request.urlopen(urllib.request.Request(f"{site}/answer", body, method="POST"))
"""


def runs(milliseconds: float, spread: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(int(milliseconds * 1000))
    return np.rint(rng.normal(milliseconds, spread * milliseconds, 60) * 1e6).astype(np.int64)


def test_a_file_passes_a_preferred_one_only_when_it_is_faster_beyond_doubt() -> None:
    taken = {"int8": runs(10), "float": runs(9.95), "light": runs(20), "faster": runs(7)}
    assert _timing.fastest_first(taken) == ["faster", "int8", "float", "light"]
    assert _timing.fastest_first({"int8": runs(11), "float": runs(8)}) == ["float", "int8"]


def installed(folder: Path, **versions: str) -> Path:
    wanted = {entry["package"]: entry["version"] for entry in _npm.runtimes().values()}
    for name, version in {**wanted, **versions}.items():
        package = folder / name / "package.json"
        package.parent.mkdir(parents=True)
        package.write_text(json.dumps({"version": version}))
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Something that can be run."""
    made = tmp_path / "chromium"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def test_what_is_missing_is_said(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _timing.stand("none", None) == "it was not asked for"
    with pytest.raises(InputError, match="neither of the runtimes: npm install @litertjs/core@"):
        _timing.stand(str(program), None)
    monkeypatch.setattr(browser, "PROGRAMS", (str(program),))
    assert "npm install @litertjs/core@" in str(_timing.stand("auto", None))
    monkeypatch.setattr(browser, "PROGRAMS", ())
    assert "no Chromium was found" in str(_timing.stand("auto", None))


def test_the_runtimes_must_be_those_that_were_tested(program: Path, tmp_path: Path) -> None:
    good = installed(tmp_path / "good")
    assert _timing.stand(str(program), str(good)) == _timing.Stand(program, good)
    other = installed(tmp_path / "other", **{"onnxruntime-web": "1.0.0"})
    with pytest.raises(InputError, match=r"onnxruntime-web 1\.0\.0 of the runtimes: npm install"):
        _timing.stand(str(program), str(other))


@pytest.fixture
def broken(tmp_path: Path) -> web.WebOptions:
    """A Chromium that says its version and ends, with the runtimes beside it."""
    fake = tmp_path / "chromium"
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Chromium 1.2.3.4\n')
    fake.chmod(0o755)
    return web.WebOptions(browser=str(fake), node_modules=str(installed(tmp_path / "modules")))


def timed(options: web.WebOptions, folder: Path) -> BrowserReport:
    """What the target says of five empty files."""
    made = [replace(a, path=folder / a.path) for a in FILES.values()]
    for artifact in made:
        artifact.path.write_bytes(b"")
    return web.time(options, folder / "work", made, 32, 5, silent)


def test_a_build_that_asks_for_no_browser_says_so(tmp_path: Path) -> None:
    told = timed(web.WebOptions(browser="none"), tmp_path)
    assert told.why == "it was not asked for"
    assert [row.name for row in told.rows] == PREFERRED


def test_a_browser_that_was_asked_for_must_work(broken: web.WebOptions, tmp_path: Path) -> None:
    assert web.missing(broken) == []
    with pytest.raises(EdgeError, match="chromium ended with"):
        timed(broken, tmp_path)


def test_one_that_was_only_found_need_not(
    broken: web.WebOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "PROGRAMS", (broken.browser,))
    told = timed(web.WebOptions(node_modules=broken.node_modules), tmp_path)
    assert told.browser is None and "chromium ended with" in str(told.why)


def test_what_the_page_answers_is_ordered_compared_and_kept(tmp_path: Path) -> None:
    """A program in Chromium's place reads what the page would read and answers as the page does."""
    program = tmp_path / "chromium"
    program.write_text(f"#!{sys.executable}\n{ANSWERING}")
    program.chmod(0o755)
    options = web.WebOptions(browser=str(program), node_modules=str(installed(tmp_path / "modules")))
    told = timed(options, tmp_path)
    assert (told.browser, told.integer_dot, told.why) == ("Chromium 1.2.3.4", True, None)
    assert [row.name for row in told.rows] == [PREFERRED[4], *PREFERRED[:4]], "ONNX Runtime's INT8 is the fastest here"
    assert all(row.runs == 5 and row.threads == 1 for row in told.rows)
    ratios = {row.name: row.ratio.median for row in told.rows if row.ratio}
    assert ratios[PREFERRED[4]] == pytest.approx(0.25) and ratios[PREFERRED[0]] == ratios[PREFERRED[1]] == 1
    assert timed(options, tmp_path) == told
    assert (tmp_path / "answered").read_text() == "once", "equal files are not timed again"


def test_without_a_browser_the_order_is_that_of_preference() -> None:
    told = web.untimed(list(FILES.values()), "none here")
    assert [row.name for row in told.rows] == PREFERRED
    assert told.browser is None and told.why == "none here" and all(row.p50 is None for row in told.rows)


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        (PREFERRED, PREFERRED[:3]),
        # its integers are the fastest there, so they take the place of the weight-only file
        (
            ["m_int8.onnx", "m_int8.tflite", "m_float32.tflite", "m_weight_only_wi8_afp32.onnx", "m_float32.onnx"],
            ["m_int8.onnx", "m_int8.tflite", "m_float32.tflite"],
        ),
        # float in LiteRT.js beats integers: it is the default, and the small file stays
        (
            ["m_float32.tflite", "m_int8.tflite", "m_float32.onnx", "m_weight_only_wi8_afp32.onnx", "m_int8.onnx"],
            ["m_float32.tflite", "m_int8.tflite", "m_weight_only_wi8_afp32.onnx"],
        ),
    ],
)
def test_the_package_holds_what_no_other_file_beats(order: list[str], kept: list[str]) -> None:
    made = list(FILES.values())
    assert [a.path.name for a in web.chosen(made, order, "needed")] == kept
    assert [a.path.name for a in web.chosen(made, order, "all")] == order
