"""Gates: the limits an artifact must hold to be shipped. A value that is missing, NaN or infinite fails its gate."""

import math
from dataclasses import dataclass

from melanoma_edge.options import Gates
from melanoma_edge.verify.parity import Parity


@dataclass(frozen=True)
class Gate:
    """One limit and what was measured. `value` is None when it was not measured."""

    name: str
    artifact: str
    limit: float
    value: float | None
    passed: bool


def judge(
    artifact: str, parity: Parity | None, size: int | None, gates: Gates, graph_dp: float | None = None
) -> list[Gate]:
    """The gates of one artifact. parity: None when it could not be run. size: bytes of its file. graph_dp: largest
    change of a probability against the graph that it was written from.

    Drops are the reference's value minus the artifact's, so an artifact that is better has a negative one.
    """
    values: dict[str, float | None] = {
        "max_auc_drop": 0 - parity.auc_delta if parity else None,
        "max_flip_rate": parity.flip_rate if parity else None,
        "max_sensitivity_drop": 0 - parity.sensitivity_delta if parity else None,
        "max_graph_dp": graph_dp,
        "max_bytes": size,
    }
    limited = {name: limit for name, limit in vars(gates).items() if limit is not None}
    return [gate(name, artifact, limit, values[name]) for name, limit in limited.items()]


def gate(name: str, artifact: str, limit: float, value: float | None) -> Gate:
    """One gate, which a value at its limit still passes."""
    return Gate(name, artifact, limit, value, value is not None and math.isfinite(value) and value <= limit)
