"""A page in a real Chromium answers; what cannot answer is an error in words."""

import shutil
import sys
from pathlib import Path

import pytest

from melanoma_edge.bench import browser
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.options import AUTO, NONE

POST = "fetch('answer', {{ method: 'POST', body: JSON.stringify({}) }});"


@pytest.fixture(scope="module")
def chromium() -> Path:
    found = browser.find(AUTO)
    if found is None:
        pytest.skip("chromium is not installed: run `make browser`")
    return found


def page(script: str) -> bytes:
    return f"<!doctype html><script type='module'>{script}</script>".encode()


def test_the_page_reads_its_site_and_answers(chromium: Path, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "b.js").write_text("export const b = 2;")
    script = "import { b } from './folder/inside/b.js'; const a = await (await fetch('a.json')).json();"
    site = {"p.html": page(script + POST.format("{ a, b }")), "a.json": b"[1]", "folder": tmp_path}
    assert browser.ask(chromium, site, "p.html") == {"a": [1], "b": 2}
    assert browser.version(chromium).split()[1].count(".") == 3


def test_what_the_page_could_not_do_is_an_error(chromium: Path) -> None:
    with pytest.raises(EdgeError, match="failed: no such kernel"):
        browser.ask(chromium, {"p.html": page(POST.format("{ error: 'no such kernel' }"))}, "p.html")


def test_a_page_that_says_nothing_is_not_waited_for_forever(chromium: Path) -> None:
    with pytest.raises(EdgeError, match="no answer within 1 second"):
        browser.ask(chromium, {"p.html": page("")}, "p.html", timeout=1)


def test_a_page_that_closes_its_window_ends_the_browser(chromium: Path) -> None:
    with pytest.raises(EdgeError, match="ended with 0 before"):
        browser.ask(chromium, {"p.html": page("window.close();")}, "p.html", timeout=60)


def test_a_program_that_is_no_browser_is_an_error(tmp_path: Path) -> None:
    fake = tmp_path / "fake"
    fake.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    fake.chmod(0o755)
    with pytest.raises(EdgeError, match="fake ended with 3"):
        browser.ask(fake, {}, "p.html")
    with pytest.raises(EdgeError, match="does not start"):
        browser.version(fake)


def test_none_is_none_and_a_path_that_is_no_program_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert browser.find(NONE) is None
    with pytest.raises(InputError, match="auto, none or the path of a Chromium"):
        browser.find(str(tmp_path / "nothing"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert browser.find(AUTO) is None


def test_only_what_lies_in_the_site_is_served(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "in.txt").write_bytes(b"in")
    (tmp_path / "out.txt").write_bytes(b"out")
    site = {"folder": tmp_path / "site"}
    assert browser._file(site, "folder/in.txt") == b"in"
    assert browser._file(site, "folder/../out.txt") is None
    assert browser._file(site, "folder") is None and browser._file(site, "other/in.txt") is None
