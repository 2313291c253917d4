"""The work folder of a build: whose it is, and who may clean it up."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from melanoma_edge import pipeline
from melanoma_edge.artifact import exclusive
from melanoma_edge.errors import InputError
from melanoma_edge.report.bundle import WORK


def test_a_refused_build_deletes_nothing_of_the_one_that_holds_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found no folder; then the other one took it."""
    output = tmp_path / "b"
    with ExitStack() as other:

        def late(work: Path) -> "ExitStack[bool | None]":
            other.enter_context(exclusive(work))
            return exclusive(work)  # type: ignore[return-value]

        monkeypatch.setattr(pipeline, "exclusive", late)
        with pytest.raises(InputError, match="in use by process"), pipeline._workspace(output):
            pytest.fail("the folder was given to two builds")
        assert (output / WORK / ".lock").is_file()


def test_only_an_untouched_new_folder_goes_with_a_build_that_fails(tmp_path: Path) -> None:
    @contextmanager
    def failing(output: Path) -> Iterator[Path]:
        with pytest.raises(InputError, match="no"), pipeline._workspace(output) as work:
            yield work
            raise InputError("no")

    with failing(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()
    with failing(tmp_path / "worked") as work:
        (work / "data").mkdir()
    assert (tmp_path / "worked" / WORK / "data").is_dir()
    with failing(tmp_path / "shared") as work:
        (work.parent / "notes.txt").write_text("somebody's")
    assert (tmp_path / "shared" / "notes.txt").is_file()
    (tmp_path / "there").mkdir()
    with failing(tmp_path / "there"):
        pass
    assert (tmp_path / "there").is_dir()
