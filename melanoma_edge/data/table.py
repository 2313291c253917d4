"""CSV files that people write: byte order marks, stray spaces and upper-case headers are forgiven, the rest is not."""

import csv
from collections.abc import Sequence
from pathlib import Path

from melanoma_edge.data.dataset import SPLITS, Problem
from melanoma_edge.errors import InputError

SPLIT_NAMES = {name: name for name in SPLITS} | {"training": "train", "valid": "val", "validation": "val"}


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header line; keys in lower case, values stripped, missing ones empty.

    Raises InputError when the file is not UTF-8 text or has no header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            rows = [row for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a readable CSV file ({error}): UTF-8 text with commas is needed") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if not any(header):
        raise InputError(f"{path} is empty: its first line must name the columns")
    if len(set(header)) < len(header):
        raise InputError(f"{path} names a column twice: found {', '.join(header)}")
    return [dict(zip(header, _padded(row, len(header)), strict=True)) for row in rows]


def split_name(text: str, where: str) -> str:
    """One of SPLITS for what a person wrote; empty stays empty. Raises InputError for anything else."""
    name = text.strip().lower()
    if name and name not in SPLIT_NAMES:
        raise InputError(f"{where}: split {text!r} is none of {', '.join(SPLITS)}")
    return SPLIT_NAMES.get(name, "")


def unique_rows(
    rows: Sequence[dict[str, str]], key: str, label: str, where: str
) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    """Rows by `key`, which must be unique: a repeated row counts once, and rows that disagree on `label` not at all."""
    kept: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    disagree: set[str] = set()
    for line, row in enumerate(rows, start=2):
        name = row[key]
        if not name:
            problems.append(Problem(f"{where} row {line}", f"no {key}"))
        elif name not in kept:
            kept[name] = row
        elif row[label].lower() == kept[name][label].lower():
            problems.append(Problem(name, "duplicate row, counted once"))
        else:
            disagree.add(name)
    for name in sorted(disagree):
        del kept[name]
        problems.append(Problem(name, f"its rows disagree on {label}, left out"))
    return kept, problems


def _padded(row: list[str], width: int) -> list[str]:
    return [cell.strip() for cell in row[:width]] + [""] * (width - len(row))
