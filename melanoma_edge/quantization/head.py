"""The last layer refitted, so that the quantised network's probabilities follow the float network's.

Rounding errors of saturating layers do not average out: they push answers one way and draw them together, by more than
they scatter them. One factor for all logits and one shift for each (vector scaling with a common factor, Guo et al.,
arXiv:1706.04599, section 4.2), fitted to the float network's answers instead of labels, take that out. Both go into the
weights of the last layer, or into its scales when it runs in integers, so they cost nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from torch import Tensor

from melanoma_edge import operators
from melanoma_edge.cores import side_by_side
from melanoma_edge.export.temperature import last_layer
from melanoma_edge.quantization.affine import from_range
from melanoma_edge.quantization.executor import Edge, Program, load, run
from melanoma_edge.quantization.fake import hooks
from melanoma_edge.quantization.limits import output_group
from melanoma_edge.quantization.prepare import array, set_array
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.sums import exact
from melanoma_edge.quantization.weights import quantize_bias

WORSE, LITTLE = 1.1, 1e-4  # of the mean change of the probability: what exact sums may cost, as a factor and at all
TOLERANCES = {"ftol": 1e-15, "gtol": 1e-10}
Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """logits * factor + shifts `[K]`."""

    factor: float
    shifts: NDArray[np.float64]


def refit(model: ir.Model, scheme: Scheme, batches: Iterable[Tensor], wanted: Logits) -> Scheme:
    """`scheme` of `model` with the last layer refitted; the layer's weights in `model` change in place.

    batches: of calibration images, which need no labels. wanted: the float network's logits `[N, K]` on them.
    """
    node = last_layer(model)
    if node is None:
        return scheme
    program = load(model)
    simulated = hooks(model, program, scheme)
    logits_free = _but_for(program.output, simulated.on_output)
    found = fit(answers(program, batches, simulated.constants, simulated.on_input, logits_free), wanted)
    weight, bias = array(node.inputs[1]), array(node.inputs[2])
    set_array(node.inputs[1], weight * found.factor)
    set_array(node.inputs[2], bias * found.factor + found.shifts)
    return _rescaled(scheme, node, found) if node.name in scheme.placement.integer else _laid(scheme, node)


def _but_for(output: str, on_output: Edge) -> Edge:
    """`on_output` but for `output`: logits that their range clips would stretch the factor for all others."""
    return lambda step, name, value: value if name == output else on_output(step, name, value)


def settle_sums(model: ir.Model, scheme: Scheme, batches: Iterable[Tensor], wanted: Logits) -> Scheme:
    """`scheme`, its float last layer off its grids when these move the answers farther than WORSE and LITTLE allow.

    A few images with features a hundred times as large as the others' take the bits of its exact sum (`sums`); without
    grids it is listed as not exact. batches, wanted: see `refit`.
    """
    node = last_layer(model)
    if node is None or node.name not in scheme.grids.weights:
        return scheme
    before = {str(v.name) for v in _behind(node.inputs[0], scheme)}
    steps = {name: step for name, step in scheme.grids.steps.items() if name not in before}
    weights = {name: held for name, held in scheme.grids.weights.items() if name != node.name}
    loose = replace(
        scheme,
        grids=replace(scheme.grids, steps=steps, weights=weights),
        inexact=scheme.inexact | {str(node.name)},
    )
    with_grids, without = (float(np.abs(changes(model, one, batches, wanted)).mean()) for one in (scheme, loose))
    return scheme if with_grids <= WORSE * without + LITTLE else loose


def _behind(value: ir.Value | None, scheme: Scheme) -> Iterator[ir.Value]:
    """The value that a float layer reads, and those that float means and reshapes make it from."""
    while value is not None:
        yield value
        node = value.producer()
        before = None if node is None or node.name in scheme.placement.integer else node
        value = before.inputs[0] if before is not None and operators.of(before).exact in ("copy", "mean") else None


def changes(model: ir.Model, scheme: Scheme, batches: Iterable[Tensor], wanted: Logits) -> Logits:
    """Changes of the probabilities `[N, K]` by `scheme`, after `fit`. wanted: `[N or more, K]`."""
    program = load(model)
    simulated = hooks(model, program, scheme)
    rough = answers(program, batches, simulated.constants, simulated.on_input, simulated.on_output)
    exact = wanted[: len(rough)]
    found = fit(rough, exact)
    return np.asarray(softmax(rough * found.factor + found.shifts, axis=1) - softmax(exact, axis=1))


def _laid(scheme: Scheme, node: ir.Node) -> Scheme:
    """The scheme of a float last layer: its new weights go to the grid of their own sums."""
    before = scheme.grids.weights.get(str(node.name))
    if before is None:
        return scheme
    after = exact(array(node.inputs[1]), array(node.inputs[2]), before.reach)
    return replace(scheme, grids=replace(scheme.grids, weights={**scheme.grids.weights, str(node.name): after}))


def _rescaled(scheme: Scheme, node: ir.Node, found: Fit) -> Scheme:
    """The scheme of an integer last layer: its weights keep their integers, everything behind them moves."""
    source, group = str(node.inputs[0].name if node.inputs[0] else ""), output_group(node, scheme.placement)
    weights = scheme.weights[str(node.name)]
    scales = np.asarray(weights.scales * found.factor, np.float32)
    bias = quantize_bias(array(node.inputs[2]), scheme.activations[source].scale, scales)
    before = scheme.activations[group]
    after = from_range(before.low * found.factor + found.shifts.min(), before.high * found.factor + found.shifts.max())
    moved = {name: after for name, home in scheme.placement.groups.items() if home == group}
    rows = {**scheme.weights, str(node.name): replace(weights, scales=scales, bias=bias)}
    return replace(scheme, weights=rows, activations={**scheme.activations, **moved})


def fit(rough: Logits, exact: Logits) -> Fit:
    """Of logits `[N, K]`, the Fit of least Kullback-Leibler divergence from softmax(exact); shifts add up to 0."""
    wanted = softmax(exact, axis=1)

    def divergence(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        fitted = rough * parameters[0] + parameters[1:]
        slope = (softmax(fitted, axis=1) - wanted) / len(rough)
        loss = -(wanted * log_softmax(fitted, axis=1)).sum(1).mean()
        return float(loss), np.concatenate([[float((slope * rough).sum())], slope.sum(0)])

    start = np.concatenate([[1.0], np.zeros(rough.shape[1])])
    solution = minimize(divergence, start, jac=True, method="L-BFGS-B", options=TOLERANCES).x
    return Fit(float(solution[0]), solution[1:] - solution[1:].mean())


def answers(
    program: Program,
    batches: Iterable[Tensor],
    constants: Mapping[str, Tensor] | None = None,
    on_input: Edge | None = None,
    on_output: Edge | None = None,
) -> Logits:
    """Logits `[N, K]` of a network; the rest as `executor.run` takes it."""

    def look(batch: Tensor) -> Tensor:
        with torch.inference_mode():
            values = run(program, batch, constants=constants, on_input=on_input, on_output=on_output)
            return values[program.output].flatten(1)

    with side_by_side() as workers:
        return torch.cat(list(workers.map(look, batches))).double().numpy()
