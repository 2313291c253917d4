"""Graph rewrites before emitting and quantising: one file a rewrite, each keeping the float function within 1e-5.

A pass has `PHASE` ("clean": always; "integer": only on the way to INT8; "onnxruntime": last, only of what is written as
ONNX), optionally `AFTER`, the names of the passes of its phase that must have run, and `run(model) -> int`, the number
of rewrites made in place.
"""

from graphlib import TopologicalSorter
from types import ModuleType

import onnx_ir as ir

from melanoma_edge import graph, registry

PHASES = ("clean", "integer", "onnxruntime")


def ordered(phase: str) -> tuple[str, ...]:
    """Names of the passes of `phase` in the order they run: by AFTER, then alphabetical."""
    modules = {name: registry.load(__name__, name) for name in registry.names(__name__)}
    chosen = {name: module for name, module in modules.items() if phase == module.PHASE}
    sorter = TopologicalSorter({name: sorted(_after(module)) for name, module in sorted(chosen.items())})
    return tuple(name for name in sorter.static_order() if name in chosen)


def apply(model: ir.Model, phase: str) -> dict[str, int]:
    """Run every pass of `phase` in place; returns pass name to number of rewrites.

    Raises ValueError when there is no such phase.
    """
    if phase not in PHASES:
        raise ValueError(f"unknown phase {phase!r}: known are {', '.join(PHASES)}")
    graph.tidy(model)
    rewrites = {}
    for name in ordered(phase):
        rewrites[name] = int(registry.load(__name__, name).run(model))
        if rewrites[name]:
            graph.tidy(model)
    return rewrites


def _after(module: ModuleType) -> tuple[str, ...]:
    return tuple(getattr(module, "AFTER", ()))
