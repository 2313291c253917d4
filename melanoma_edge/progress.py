"""How long work tells what it has done. Only `cli.py` draws; everything else calls a `Progress`."""

from typing import Protocol


class Progress(Protocol):
    """Called whenever a countable piece of work is finished."""

    def __call__(self, task: str, done: int, total: int, detail: str = "") -> None:
        """`done` of `total` pieces of `task` are finished; `detail` is a short note such as a loss."""


def silent(task: str, done: int, total: int, detail: str = "") -> None:
    """The Progress that shows nothing."""
