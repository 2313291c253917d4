"""Command-line options made from `options.py` and the targets, and what several commands take.

Nothing heavy is imported here.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from melanoma_edge import targets
from melanoma_edge.errors import InputError

Command = TypeVar("Command", bound=Callable[..., Any])


def takes(name: str, kind: type) -> Callable[[Command], Command]:
    """Give a command one option per field of the frozen dataclass `kind`; they arrive as one argument called `name`.

    A field that is such a class itself stands for its own fields.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collected(**given: Any) -> Any:
            values = {f.name: given.pop(f.name) for f in _leaves(kind)}
            return command(**{name: _filled(kind, values)}, **given)

        for f in reversed(list(_leaves(kind))):
            collected = _option(f)(collected)
        return collected  # type: ignore[return-value]

    return decorate


def _leaves(kind: type) -> "Iterator[Field[Any]]":
    """The fields of a dataclass, with those of the dataclasses in it in their place."""
    for f in fields(kind):
        if is_dataclass(f.default):
            yield from _leaves(type(f.default))
        else:
            yield f


def _filled(kind: type, values: dict[str, Any]) -> Any:
    """`kind` made from the values of its `_leaves`."""
    inner = {f.name: type(f.default) for f in fields(kind) if is_dataclass(f.default)}
    own = {f.name: values[f.name] for f in fields(kind) if f.name not in inner}
    return kind(**own, **{name: _filled(part, values) for name, part in inner.items()})


def _option(field: "Field[Any]") -> Callable[[Command], Command]:
    """The click option of a dataclass field: its type from the default's, or from the annotation where that is None."""
    flag, text, values = _flag(field.name), field.metadata["help"], field.metadata["values"]
    if field.default is False:
        return click.option(flag, is_flag=True, help=text)
    if values:
        kind: Any = click.Choice(values)
    elif field.default is not None:
        kind = type(field.default)
    else:
        kind = int if field.type == int | None else float if field.type == float | None else str
    return click.option(flag, default=field.default, type=kind, show_default=field.default is not None, help=text)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


as_json = click.option("--json", "as_json", is_flag=True, help="machine-readable result on stdout, logs on stderr")
output_folder = click.option(
    "--output", type=click.Path(path_type=Path), help="folder of the bundle [default: artifacts/NAME]"
)


class GroupedCommand(click.Command):
    """A command whose help lists the options of each target by themselves."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each target that has options, below the one for the rest."""
        owners = {f.name: f"Options of --target {t.name}" for t in targets.known() for f in fields(t.options)}
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                sections.setdefault(owners.get(param.name or "", "Options"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def takes_targets(command: Command) -> Command:
    """Give a command --target and every target's own options; they arrive as `wanted`, a tuple of `Target`.

    Raises InputError for an option of a target that is not asked for.
    """

    @functools.wraps(command)
    def collected(wanted: tuple[str, ...], **given: Any) -> Any:
        source, chosen = click.get_current_context().get_parameter_source, []
        for target in targets.known():
            values = {f.name: given.pop(f.name) for f in fields(target.options)}
            typed = [name for name in values if source(name) is ParameterSource.COMMANDLINE]
            if typed and target.name not in wanted:
                raise InputError(f"{_flag(typed[0])} is for --target {target.name}: found {', '.join(wanted)}")
            chosen.append(replace(target, options=replace(target.options, **values)))
        by_name = {target.name: target for target in chosen}
        return command(wanted=tuple(by_name.get(name, name) for name in wanted), **given)

    for target in reversed(targets.known()):
        for f in reversed(fields(target.options)):
            collected = _option(f)(collected)
    text = f"what to ship for, repeatable: {', '.join(target.name for target in targets.known())}"
    target = click.option("--target", "wanted", multiple=True, default=("tflite",), show_default=True, help=text)
    return target(collected)  # type: ignore[return-value]


def triple(option: str, text: str) -> tuple[float, float, float]:
    """`M` or `R,G,B` as three numbers."""
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 3):
        raise click.BadParameter(f"{text!r}: one number, or three separated by commas", param_hint=option)
    r, g, b = values * 3 if len(values) == 1 else values
    return r, g, b


def integers(option: str, text: str) -> tuple[int, ...]:
    """`1,2` as integers above zero."""
    try:
        values = tuple(int(v) for v in text.split(","))
    except ValueError:
        values = ()
    if not values or min(values) < 1:
        raise click.BadParameter(f"{text!r}: whole numbers above 0, separated by commas", param_hint=option)
    return values
