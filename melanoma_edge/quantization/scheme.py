"""Every integer of a quantised graph: where, with which scale, and the weights."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import onnx_ir as ir

from melanoma_edge import operators
from melanoma_edge.quantization.affine import Affine, from_range
from melanoma_edge.quantization.grids import NONE, Grids, clear_crossings, lay, rounded
from melanoma_edge.quantization.limits import output_group, respect
from melanoma_edge.quantization.placement import Placement, place
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.ranges import Observation, choose, merge
from melanoma_edge.quantization.sums import on_grid
from melanoma_edge.quantization.ties import avoid_ties
from melanoma_edge.quantization.weights import Weights, quantize_bias, quantize_weights

Observe = Callable[[frozenset[str]], Mapping[str, Observation]]


@dataclass(frozen=True)
class Scheme:
    """What `write` writes and `fake` simulates.

    activations: parameters of each quantised value and constant operand by its name. weights: by node name. grids: of
    the float nodes. inexact: nodes whose results may differ between runtimes in the last bit, or by one integer.
    """

    placement: Placement
    activations: Mapping[str, Affine]
    weights: Mapping[str, Weights]
    grids: Grids = NONE
    inexact: frozenset[str] = frozenset()


def weighted_nodes(model: ir.Model, placement: Placement) -> list[ir.Node]:
    """The Conv and Gemm nodes in integers, in topological order."""
    return [n for n in model.graph if n.name in placement.integer and operators.of(n).weighted]


def settle(
    model: ir.Model,
    observe: Observe,
    method: str,
    *,
    image: Affine | None,
    float_head: bool,
    float_nodes: Collection[str],
) -> Scheme:
    """Placement, activation parameters that fit each other and every kernel's limits, and grids; no weights yet.

    observe: gives the Observations of the values that it is asked for. Nodes that no scale brings inside the limits
    join the float ones.
    """
    kept = set(float_nodes)
    observations: dict[str, Observation] = {}
    while True:
        placement = place(model, image=image, float_head=float_head, float_nodes=kept)
        wanted = placement.sources | rounded(model, placement)
        observations |= observe(frozenset(wanted - observations.keys()))
        inside, outside = respect(model, placement, _chosen(model, placement, observations, method))
        apart, close = avoid_ties(model, placement, inside)
        apart = clear_crossings(model, placement, apart, observations)
        scales, beyond = respect(model, placement, apart)  # a scale at its limit may have left it
        outside |= beyond
        if not outside:
            by_value = {name: scales[group] for name, group in placement.groups.items()}
            activations = {**{name: scales[name] for name in placement.constants - by_value.keys()}, **by_value}
            grids, inexact = lay(model, placement, activations, observations, image)
            return Scheme(placement, activations, {}, grids, inexact | close)
        kept |= outside


def round_weights(model: ir.Model, scheme: Scheme) -> Scheme:
    """`scheme` with every integer node's weight and bias, as they stand in `model`, rounded to nearest."""
    weights, scales = {}, scheme.activations
    for node in weighted_nodes(model, scheme.placement):
        source, made = (str(node.inputs[0].name) if node.inputs[0] else ""), output_group(node, scheme.placement)
        weights[str(node.name)] = quantize_weights(
            array(node.inputs[1]), array(node.inputs[2]), scales[source].scale, scales[made].scale
        )
    return replace(scheme, weights=weights)


def rebias(model: ir.Model, scheme: Scheme) -> Scheme:
    """`scheme` with the biases as they stand in `model`, rounded to nearest."""
    weights = {}
    for node in weighted_nodes(model, scheme.placement):
        kept, source = scheme.weights[str(node.name)], (str(node.inputs[0].name) if node.inputs[0] else "")
        bias = quantize_bias(array(node.inputs[2]), scheme.activations[source].scale, kept.scales)
        weights[str(node.name)] = replace(kept, bias=bias)
    biases = {str(n.name): array(n.inputs[2]) for n in model.graph if n.name in scheme.grids.weights}
    exact = {name: replace(e, bias=on_grid(biases[name], e.steps)) for name, e in scheme.grids.weights.items()}
    return replace(scheme, weights=weights, grids=replace(scheme.grids, weights=exact))


def _chosen(
    model: ir.Model, placement: Placement, observations: Mapping[str, Observation], method: str
) -> dict[str, Affine]:
    chosen: dict[str, Affine] = dict(placement.fixed)
    for group in sorted(set(placement.groups.values()) - set(chosen)):
        members = [observations[v] for v in sorted(placement.sources) if placement.groups[v] == group]
        chosen[group] = choose(merge(members), method)
    for name in sorted(placement.constants):
        data, group = array(model.graph.initializers[name]), placement.groups.get(name, name)
        low, high = float(data.min()), float(data.max())
        if group == name:
            chosen[name] = from_range(low, high)
        elif group not in placement.fixed and not chosen[group].low <= low <= high <= chosen[group].high:
            chosen[group] = from_range(min(chosen[group].low, low), max(chosen[group].high, high))
    return chosen
