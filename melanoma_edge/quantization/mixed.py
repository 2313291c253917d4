"""Mixed precision: which operators to keep in float so that the answers move least for what they cost.

A weight's rounding is gone when its operator runs in float; a value's when the operator that makes it and all that read
it do. So whole stretches of the graph are tried. Cost is counted in multiply-adds, moved elements, and elements that
cross between float and integers, as a share of the whole network's multiply-adds and moved elements.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import operators
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.sensitivity import Sensitivity

LONGEST = 9  # operators in a stretch that is added at once: three inverted residual blocks
ELEMENT = 4.0  # multiply-adds that take as long as reading or writing an element
CROSSING = 16.0  # and converting one, with the change of layout that some runtimes make there
LEAST = 1e-3  # cost below which stretches are compared by what they take away alone
HEAVIEST = 0.03  # share of the weights that may stay in float: each takes three bytes more
WORTH = 0.02  # share of the variance that a further stretch, or a whole budget, must take away


@dataclass(frozen=True)
class Choice:
    """float_nodes: names. cost: their share of the network's. remaining: expected squared change of the probability
    by that of all in integers.
    """

    float_nodes: tuple[str, ...]
    cost: float
    remaining: float


def choices(model: ir.Model, scheme: Scheme, sensitivity: Sensitivity, budgets: Sequence[float]) -> list[Choice]:
    """For each budget (share of the cost, ascending) the best Choice found; budgets that add nothing are left out.

    model, scheme: those that `sensitivity` was measured for.
    """
    effects = _effects(model, scheme, sensitivity)
    whole = max(float(effects.measured(np.zeros(len(effects.names), bool))[1]), 1e-300)
    found: list[Choice] = []
    for budget in budgets:
        grown = np.array([_grow(effects, start, budget, WORTH * whole) for start in _starts(effects, budget)])
        costs, left = effects.measured(grown)
        best = int((left + WORTH * whole * costs / budget).argmin())
        names = tuple(n for unit, kept in zip(effects.names, grown[best], strict=True) if kept for n in unit)
        remaining = float(left[best]) / whole
        if names and (not found or remaining < found[-1].remaining):
            found.append(Choice(names, float(costs[best]), remaining))
    return found


@dataclass(frozen=True)
class _Effects:
    """The sensitivity as arrays over units in graph order: an operator with the Relu or Clip that it absorbs.

    names: of each unit's nodes. costs: `[units]`, adding up to 1. weights: `[units]` and values: `[values]`, mean
    squares of the effects. They are added as if independent: with their signs, the choice would go by what cancels on
    these images by chance. touching: bool `[values, units]`, the units that must all be in float for a value to be.
    crossings: `[values]`, the cost of converting each. bytes: `[units]`, shares of the weights.
    """

    names: Sequence[tuple[str, ...]]
    costs: NDArray[np.float64]
    weights: NDArray[np.float64]
    values: NDArray[np.float64]
    touching: NDArray[np.bool_]
    crossings: NDArray[np.float64]
    bytes: NDArray[np.float64]

    def measured(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """With the units of each `[..., units]` in float, their share of the network's cost, with the conversions that
        they ask for, and the expected squared change of the probability."""
        touching = self.touching.astype(np.float32)  # of which a product of matrices is quick
        inside = chosen.astype(np.float32) @ touching.T
        whole = inside == touching.sum(1)
        cost = chosen @ self.costs + ((inside > 0) & ~whole) @ self.crossings
        return np.asarray(cost), np.asarray(~chosen @ self.weights + ~whole @ self.values)

    def light(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the units of each `[..., units]` hold no more than HEAVIEST of the weights."""
        return np.asarray(chosen @ self.bytes <= HEAVIEST)


def _effects(model: ir.Model, scheme: Scheme, sensitivity: Sensitivity) -> _Effects:
    units: list[list[ir.Node]] = []
    home: dict[ir.Node, list[ir.Node]] = {}
    for node in model.graph:
        maker = node.inputs[0].producer() if node.inputs and node.inputs[0] is not None else None
        clamps = node.name in scheme.placement.integer and operators.clamp_bounds(node) is not None
        absorbed = clamps and maker is not None
        home[node] = home[maker] if absorbed and maker is not None else []
        home[node].append(node)
        if not absorbed:
            units.append(home[node])
    costs, held = np.array([cost(unit[0]) for unit in units]), np.array([_weights(unit[0]) for unit in units])
    names = [tuple(str(node.name) for node in unit) for unit in units]
    values, sizes = sensitivity.values, {str(v.name): _size(v) for n in model.graph for v in n.outputs}
    touching = [[any(reads_or_makes(node, name) for node in unit) for unit in units] for name in values]
    return _Effects(
        names,
        costs / costs.sum(),
        np.array([np.square(sensitivity.weights.get(unit[0], 0.0)).mean() for unit in names]),
        np.array([np.square(effect).mean() for effect in values.values()]),
        np.array(touching, bool).reshape(len(values), len(units)),
        np.array([CROSSING * sizes[name] for name in values]) / costs.sum(),
        held / max(held.sum(), 1.0),
    )


def _starts(effects: _Effects, budget: float) -> Iterator[NDArray[np.bool_]]:
    """Nothing, and the first units up to each that fits the budget."""
    chosen = np.zeros(len(effects.names), bool)
    yield chosen
    for first in range(len(chosen)):
        chosen = chosen.copy()
        chosen[first] = True
        if effects.measured(chosen)[0] <= budget and effects.light(chosen):
            yield chosen


def _grow(effects: _Effects, chosen: NDArray[np.bool_], budget: float, least: float) -> NDArray[np.bool_]:
    """`chosen` and, one after the other, the stretches that take away most variance for their cost, `least` or more."""
    spent, now = effects.measured(chosen)
    while True:
        grown = _stretches(chosen)
        costs, left = effects.measured(grown)
        gain = now - left
        worth = gain / np.maximum(costs - spent, LEAST)
        worth[(costs > budget) | ~effects.light(grown) | (gain <= least)] = 0.0
        if not worth.any():
            return chosen
        best = worth.argmax()
        chosen, spent, now = grown[best], costs[best], left[best]


def _stretches(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`chosen` with each stretch of units that adds to it, `[stretches, units]`."""
    units = np.arange(len(chosen))
    bounds = [(first, last) for first in np.flatnonzero(~chosen) for last in units[first : first + LONGEST]]
    first, last = np.array(bounds, int).reshape(-1, 2, 1).swapaxes(0, 1)
    return np.asarray(chosen | ((units >= first) & (units <= last)))


def reads_or_makes(node: ir.Node, value: str) -> bool:
    """Whether a node has the value of this name as operand or output."""
    return any(v is not None and v.name == value for v in (*node.inputs, *node.outputs))


def cost(node: ir.Node) -> float:
    """Multiply-adds of a node, and the elements read and written in their measure."""
    moved = sum(_size(v) for v in (*node.inputs, *node.outputs) if v is not None and v.const_value is None)
    if not _weights(node):
        return ELEMENT * moved
    return _size(node.outputs[0]) / len(array(node.inputs[1])) * _weights(node) + ELEMENT * moved


def _weights(node: ir.Node) -> float:
    """How many constant weights a Conv or Gemm has; 0 for other nodes."""
    constant = operators.of(node).weighted and node.inputs[1] is not None and node.inputs[1].const_value is not None
    return float(array(node.inputs[1]).size) if constant else 0.0


def _size(value: ir.Value) -> float:
    return float(np.prod([d for d in value.shape or () if isinstance(d, int)]))
