"""Without a browser the build goes on and says why; one that was asked for by its path must work."""

import json
from pathlib import Path

import pytest

from melanoma_edge.artifact import Artifact
from melanoma_edge.bench import browser as program
from melanoma_edge.errors import EdgeError
from melanoma_edge.options import ProofOptions
from melanoma_edge.progress import silent
from melanoma_edge.stages import browser
from melanoma_edge.targets import _npm

MADE = [
    Artifact(Path(f"m_{precision}.{form}"), "0" * 64, form, precision)
    for form, precision in (("tflite", "int8"), ("tflite", "float32"), ("onnx", "float32"), ("onnx", "int8"))
]


@pytest.fixture
def broken(tmp_path: Path) -> ProofOptions:
    """A Chromium that says its version and ends, with the runtimes beside it."""
    fake = tmp_path / "chromium"
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Chromium 1.2.3.4\n')
    fake.chmod(0o755)
    for entry in _npm.runtimes().values():
        package = tmp_path / "modules" / entry["package"] / "package.json"
        package.parent.mkdir(parents=True)
        package.write_text(json.dumps({"version": entry["version"]}))
    for artifact in MADE:
        (tmp_path / artifact.path).write_bytes(b"")
    return ProofOptions(browser=str(fake), node_modules=str(tmp_path / "modules"))


def test_nothing_is_timed_for_other_targets(tmp_path: Path) -> None:
    assert browser.run(tmp_path, ("tflite", "android"), MADE, 32, ProofOptions(), silent) is None


def test_a_build_that_asks_for_none_says_so(tmp_path: Path) -> None:
    told = browser.run(tmp_path, ("web",), MADE, 32, ProofOptions(browser="none"), silent)
    assert told is not None and told.why == "it was not asked for"
    assert told.rows[0].name == "m_int8.tflite"


def test_a_browser_that_was_asked_for_must_work(broken: ProofOptions, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="chromium ended with"):
        browser.run(tmp_path / "work", ("web",), MADE, 32, broken, silent)


def test_one_that_was_only_found_need_not(
    broken: ProofOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "PROGRAMS", (broken.browser,))
    found = ProofOptions(node_modules=broken.node_modules)
    told = browser.run(tmp_path / "work", ("web",), MADE, 32, found, silent)
    assert told is not None and told.browser is None and "chromium ended with" in str(told.why)
