"""Gates: the limits an artifact must hold to be shipped. A value that is missing, NaN or infinite fails its gate.

How many images change between "answered" and "uncertain" is reported and has no gate: an image that became uncertain
goes to a doctor, and one that became answered has a decision, which the gate of flips counts, shown or not.
"""

import math
from dataclasses import dataclass

from melanoma_edge.document import Figure, by_name
from melanoma_edge.options import Gates
from melanoma_edge.verify.parity import Parity

GRAPH_DP = 0.001  # where the user states no limit
INEXACT_DP = 0.05  # likewise, for graphs with operators that are not exact
INEXACT_LOGIT = 4 * INEXACT_DP  # what moves a probability by that much at most
INEXACT = "its graph has operators whose last bits are each kernel's own (`inexact_nodes`), which roundings amplify"
UNSTATED = f"no limit was stated, and {GRAPH_DP:g} is for graphs without them"


@dataclass(frozen=True)
class Gate:
    """One limit and what was measured. `value` is None when it was not measured. reason: why the limit is not the
    usual one, None where it is.
    """

    name: str
    artifact: str
    limit: float
    value: Figure
    passed: bool
    reason: str | None = None

    __getitem__ = by_name


def judge(artifact: str, parity: Parity | None, size: int | None, gates: Gates) -> list[Gate]:
    """The gates of one artifact against its reference. parity: None when it could not be run. size: bytes of its file.

    Drops are the reference's value minus the artifact's, so an artifact that is better has a negative one.
    """
    measured: tuple[tuple[str, float | None, float | None], ...] = (
        ("max_auc_drop", gates.max_auc_drop, 0 - parity.auc_delta if parity else None),
        ("max_flip_rate", gates.max_flip_rate, parity.flip_rate if parity else None),
        ("max_sensitivity_drop", gates.max_sensitivity_drop, 0 - parity.sensitivity_delta if parity else None),
        ("max_bytes", gates.max_bytes, size),
    )
    return [gate(name, artifact, limit, value) for name, limit, value in measured if limit is not None]


def graph_gate(artifact: str, change: float | None, gates: Gates, exact: bool) -> Gate:
    """Whether a file computes what the graph does that it was written from.

    change: its largest change of a probability. exact: whether every operator of the graph gives the same bits in every
    runtime. A limit that the user stated is judged as stated; of the two defaults, the wider one says why.
    """
    if gates.max_graph_dp is not None:
        return gate("max_graph_dp", artifact, gates.max_graph_dp, change)
    if exact:
        return gate("max_graph_dp", artifact, GRAPH_DP, change)
    return gate(
        "max_graph_dp",
        artifact,
        INEXACT_DP,
        change,
        f"{INEXACT}; {UNSTATED}",
    )


def gate(name: str, artifact: str, limit: float, value: float | None, reason: str | None = None) -> Gate:
    """One gate, which a value at its limit still passes."""
    passed = value is not None and math.isfinite(value) and value <= limit
    return Gate(name, artifact, limit, value, passed, reason)
