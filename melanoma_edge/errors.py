"""The errors a user can meet. Each message says what was wrong, what was found and what would be accepted."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caution:
    """What may be wrong and stops nothing: reports and the console show it first. code: for programs, `lower_case`."""

    code: str
    text: str


class EdgeError(Exception):
    """Base of every error that melanoma-edge raises on purpose. `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(EdgeError):
    """Bad usage or bad input: the user can mend it. Exit code 2."""

    exit_code = 2


class UnsupportedOperatorError(EdgeError):
    """A graph holds an operator that a target has no rule for. Exit code 2: another network would be accepted."""

    exit_code = 2


class GateError(EdgeError):
    """The artifacts were made and judged, and a gate failed: the report stays, nothing ships. Exit code 3."""

    exit_code = 3
