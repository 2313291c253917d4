"""Where a file's time goes and where its accuracy is lost: its operators as its runtime runs them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

QUANTIZED = "_quantized"  # what the quantiser adds to a value's name for its integers


@dataclass(frozen=True)
class Operator:
    """One operator as it runs. kernel: whose, and of which numbers. partition: of the delegate, None outside of it.

    output: name of the value it makes. milliseconds: one thread. signal_to_noise: decibels of that value against the
    float network's, with everything before it quantised too; None where that is not known.
    """

    operator: str
    kernel: str
    partition: int | None
    output: str
    milliseconds: float
    signal_to_noise: float | None = None


def explain(path: Path, noise: Mapping[str, float], *, runs: int = 100, progress: Progress = silent) -> dict[str, Any]:
    """The operators of a model file, ready for JSON: "rows" in the order in which they run.

    noise: decibels by value name, as the report of a build has them. Raises InputError for other files.
    """
    from melanoma_edge.bench import profilers

    profiler = profilers.of(path)
    if profiler is None:
        raise InputError(f"{path}: operators are known for {' and '.join(profilers.suffixes())} files")
    found = profiler.profile(path, runs=runs, progress=progress)
    total = sum(o.milliseconds for o in found) or 1.0
    rows = [
        {**asdict(o), "share": o.milliseconds / total, "signal_to_noise": noise.get(o.output.removesuffix(QUANTIZED))}
        for o in found
    ]
    return {"file": path.name, "method": profiler.METHOD, "milliseconds": total, "rows": rows}


def by_kind(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Operators of one kind and kernel taken together, slowest first."""
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        kinds.setdefault((row["operator"], row["kernel"]), []).append(row)
    summed = [
        {"operator": operator, "kernel": kernel, "count": len(same), "share": sum(r["share"] for r in same)}
        for (operator, kernel), same in kinds.items()
    ]
    return sorted(summed, key=lambda row: -row["share"])
