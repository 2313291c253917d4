import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import numpy as np
import pytest

from melanoma_edge import artifact
from melanoma_edge.artifact import (
    MANIFEST,
    Manifest,
    atomic_path,
    exclusive,
    read_json,
    run_stage,
    sha256_file,
    sha256_json,
    write_json,
)
from melanoma_edge.errors import InputError

CODE = "melanoma_edge.artifact"  # any module of the package


def stage(folder: Path, content: str, calls: list[str], **recipe: str):
    def make(scratch: Path) -> None:
        calls.append(content)
        (scratch / "out.txt").write_text(content)

    return run_stage(
        folder,
        make,
        inputs={"in": recipe.get("sha", "a")},
        options={"x": recipe.get("x", "1")},
        code=CODE,
    )


@pytest.mark.parametrize(
    ("error", "resumes", "stays"),
    [(KeyboardInterrupt(), True, True), (KeyboardInterrupt(), False, False), (InputError("bad"), True, False)],
)
def test_only_an_interrupted_stage_that_resumes_leaves_its_work(tmp_path, error, resumes, stays):
    def make(scratch: Path) -> None:
        found.append((scratch / "half.txt").exists())
        (scratch / "half.txt").write_text("half")
        raise error

    found: list[bool] = []
    for _ in range(2):
        with pytest.raises(type(error)):
            run_stage(tmp_path / "train", make, inputs={}, code=CODE, options={}, resumes=resumes)
    assert found == [False, stays]
    assert [p.name for p in tmp_path.iterdir()] == (["train.partial"] if stays else [])


def test_an_unchanged_stage_is_not_run_again(tmp_path):
    calls: list[str] = []
    first = stage(tmp_path / "s", "one", calls)
    second = stage(tmp_path / "s", "one", calls)
    assert calls == ["one"]
    assert not first.reused
    assert second.reused
    assert second.sha256("out.txt") == sha256_file(tmp_path / "s" / "out.txt")


@pytest.mark.parametrize("change", [{"sha": "b"}, {"x": "2"}])
def test_a_changed_input_or_option_runs_the_stage_again(tmp_path, change):
    calls: list[str] = []
    stage(tmp_path / "s", "one", calls)
    stage(tmp_path / "s", "two", calls, **change)
    assert calls == ["one", "two"]
    assert (tmp_path / "s" / "out.txt").read_text() == "two"


def test_an_altered_output_runs_the_stage_again(tmp_path):
    calls: list[str] = []
    stage(tmp_path / "s", "one", calls)
    (tmp_path / "s" / "out.txt").write_text("0ne")
    stage(tmp_path / "s", "one", calls)
    assert calls == ["one", "one"]
    assert (tmp_path / "s" / "out.txt").read_text() == "one"


@pytest.mark.parametrize("content", [b"{", b'"\xff"', b"[1]", b'{"key": 1}'])
def test_a_stage_whose_manifest_is_damaged_is_run_again(content: bytes, tmp_path: Path) -> None:
    calls: list[str] = []
    stage(tmp_path / "s", "one", calls)
    (tmp_path / "s" / MANIFEST).write_bytes(content)
    assert not stage(tmp_path / "s", "one", calls).reused


def test_a_failed_stage_publishes_nothing_and_finds_its_scratch_again(tmp_path):
    seen: list[bool] = []

    def make(scratch: Path) -> None:
        seen.append((scratch / "half.txt").exists())
        (scratch / "half.txt").write_text("half")
        if len(seen) == 1:
            raise KeyboardInterrupt

    def run():
        return run_stage(tmp_path / "s", make, inputs={}, code=CODE, options={}, resumes=True)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert not (tmp_path / "s").exists()
    run()
    assert seen == [False, True]
    assert list(read_json(tmp_path / "s" / MANIFEST, Manifest).outputs) == ["half.txt"]


def test_a_scratch_of_another_recipe_is_thrown_away(tmp_path):
    def die(scratch: Path) -> None:
        (scratch / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(tmp_path / "s", die, inputs={}, code=CODE, options={"x": 1})
    calls: list[str] = []
    stage(tmp_path / "s", "one", calls)
    assert [p.name for p in sorted((tmp_path / "s").iterdir())] == ["manifest.json", "out.txt"]


def test_atomic_path_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="boom"), atomic_path(path) as partial:
        partial.write_text("new")
        raise ValueError("boom")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_refuses_nan_and_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": Kept("a", float("nan"))})
    assert list(tmp_path.iterdir()) == []


def test_sha256_of_json_ignores_key_order():
    assert sha256_json({"a": 1, "b": [1, 2]}) == sha256_json({"b": [1, 2], "a": 1})
    assert sha256_json({"a": 1}) != sha256_json({"a": 2})


HOLD = """
import sys, time
from pathlib import Path
from melanoma_edge.artifact import exclusive

CODE = "melanoma_edge.artifact"  # any module: what a test makes is not made by it


with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_in_use_is_refused_and_free_again_after_a_kill(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"in use by process {other.pid}"), exclusive(tmp_path):
            pass
        other.kill()
    with exclusive(tmp_path):
        pass


@dataclass(frozen=True)
class Kept:
    """What the tests write and read."""

    name: str
    share: float | None
    parts: tuple[int, ...] = ()


@pytest.mark.parametrize("kept", [Kept("a", 0.5, (1, 2)), Kept("ü", None)])
def test_a_dataclass_comes_back_from_json(kept: Kept, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"kept": [replace(kept, share=kept.share and np.float64(kept.share))]})
    assert read_json(tmp_path / "a.json", dict[str, list[Kept]]) == {"kept": [kept]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"share": 1}', "missing required field `name`"),
        (b'{"name": "a", "share": "much"}', r"Expected `float \| null`, got `str` - at `\$.share`"),
        (b'{"name": "a"', "Input data was truncated"),
        (b'{"name": "\xff", "share": 1}', "utf-8"),
    ],
)
def test_a_document_that_is_none_of_ours_is_said_in_a_line(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=why) as refused:
        read_json(tmp_path / "a.json", Kept)
    assert "a.json" in str(refused.value) and "\n" not in str(refused.value)


def test_a_document_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json is missing"):
        read_json(tmp_path / "a.json", Kept)


def test_a_dataclass_among_a_stages_options_counts_with_its_values(tmp_path: Path) -> None:
    def run(kept: Kept) -> bool:
        return run_stage(tmp_path / "s", lambda folder: None, inputs={}, options={"kept": kept}, code=CODE).reused

    assert not run(Kept("a", 1.0))
    assert run(Kept("a", 1.0))
    assert not run(Kept("a", 2.0))
    assert read_json(tmp_path / "s" / MANIFEST, Manifest).options == {"kept": {"name": "a", "share": 2.0, "parts": []}}


def test_a_lock_file_that_its_last_holder_removed_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes between opening and locking it, as when a refused build cleans up."""
    removed = []

    def flock(file: IO[str], how: int) -> None:
        if not removed:
            removed.append((tmp_path / "work" / ".lock").unlink())
        fcntl.flock(file, how)

    monkeypatch.setattr(artifact, "fcntl", SimpleNamespace(flock=flock, LOCK_EX=fcntl.LOCK_EX, LOCK_NB=fcntl.LOCK_NB))
    with exclusive(tmp_path / "work") as lock:
        assert removed and lock.read_text() == str(os.getpid())
        with pytest.raises(InputError, match="in use"), exclusive(tmp_path / "work"):
            pytest.fail("held twice")
