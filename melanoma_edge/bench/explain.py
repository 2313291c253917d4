"""Where a file's time goes and where its accuracy is lost: its operators as its runtime runs them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

QUANTIZED = "_quantized"  # what the quantiser adds to a value's name for its integers


@dataclass(frozen=True)
class Operator:
    """One operator as it runs. kernel: whose, and of which numbers. partition: of the delegate, None outside of it.

    output: name of the value it makes. milliseconds: one thread. share: of the file's milliseconds, from `explain` on.
    signal_to_noise: decibels of that value against the float network's, with everything before it quantised too; None
    where that is not known.
    """

    operator: str
    kernel: str
    partition: int | None
    output: str
    milliseconds: float
    share: float = 0.0
    signal_to_noise: float | None = None


@dataclass(frozen=True)
class Explanation:
    """Name of a file, its time on one thread and how it was measured, and its operators in the order in which they
    run."""

    file: str
    method: str
    milliseconds: float
    rows: tuple[Operator, ...]


def explain(path: Path, noise: Mapping[str, float], *, runs: int = 100, progress: Progress = silent) -> Explanation:
    """The operators of a model file.

    noise: decibels by value name, as the report of a build has them. Raises InputError for other files.
    """
    from melanoma_edge.bench import profilers

    profiler = profilers.of(path)
    if profiler is None:
        raise InputError(f"{path}: operators are known for {' and '.join(profilers.suffixes())} files")
    operators = profiler.profile(path, runs=runs, progress=progress)
    total = sum(operator.milliseconds for operator in operators) or 1.0
    rows = tuple(
        replace(
            operator,
            share=operator.milliseconds / total,
            signal_to_noise=noise.get(operator.output.removesuffix(QUANTIZED)),
        )
        for operator in operators
    )
    return Explanation(path.name, profiler.METHOD, total, rows)
