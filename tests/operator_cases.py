"""The cases of every operator: `tests/operators/cases/*.py`, each with `CASES` by ONNX name.

A case is a function (builder, value) that appends the operator, last of what it appends, with attributes drawn from the
builder's generator; the value is an image `[1, C, H, W]` with C, H, W of 2 or more.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnx_graphs import Builder

Case = Callable[[Builder, ir.Value], ir.Value]
FOLDER = Path(__file__).parent / "operators" / "cases"


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for path in sorted(FOLDER.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"operator_cases_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= module.CASES
    return found


def graph_of(case: Case, seed: int) -> ir.Model:
    """The operator on an image of random size."""
    rng = np.random.default_rng(seed)
    b = Builder((1, *(int(n) for n in rng.integers(2, [7, 10, 10]))), rng)
    return b.done(case(b, b.image))


def last(model: ir.Model) -> ir.Node:
    return list(model.graph)[-1]
