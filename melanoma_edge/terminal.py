"""Where commands print: results on stdout, progress and errors on stderr."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console

from melanoma_edge import console
from melanoma_edge.progress import Progress

log = Console(stderr=True)
out = Console()


def plain(message: str) -> str:
    """Text that rich prints as it stands, but for control characters other than new lines, which are escaped."""
    return "\n".join(map(console.shown, message.split("\n")))


@contextlib.contextmanager
def progress_shown() -> Iterator[Progress]:
    """Bars on a terminal, lines in a log."""
    if not log.is_terminal:
        yield console.LineProgress(log)
        return
    with console.bars(log) as display:
        yield console.BarProgress(display)


def answer(facts: dict[str, Any], as_json: bool) -> None:
    """A flat result: JSON, or a line a fact."""
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for key, value in facts.items():
        text = json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)
        out.print(f"[bold]{key}[/]: {plain(text)}", soft_wrap=True, highlight=False)
