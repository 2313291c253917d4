"""Float operators beside integer ones, on grids where their sums are exact: every runtime then makes the same bits.

A float32 sum depends on its order, which is each kernel's own, unless all its partial sums are multiples of one power
of two and below 2^24 of it. Without that, a value beside a rounding boundary goes one way here and the other way there,
and the layers behind turn that into other decisions; and logits differ in their last bits, on ARM64 from x86. So values
that float sums read are rounded to multiples of a power of two, 2^BITS of them or fewer on either side of zero, and
weights to as many bits as the sum leaves room for: 10 or so, where integers would have 8. Rounding is two additions,
x + C - C with C = 1.5 * 2^23 steps (Knuth, TAOCP 2, section 4.2.2), since not every runtime has a fast operator for it.
Sums and products of two elements need no grid: IEEE 754 leaves them one result. But ONNX Runtime joins an Add with the
convolution before it into one sum, and a sigmoid's last bit is each runtime's own, so that what such an Add reads, and
what a sigmoid reads and makes, is rounded too.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import onnx_ir as ir
from torch import Tensor

from melanoma_edge import operators
from melanoma_edge.quantization.affine import Affine
from melanoma_edge.quantization.placement import Placement, variable_inputs
from melanoma_edge.quantization.prepare import array, convolves
from melanoma_edge.quantization.ranges import Observation, farthest
from melanoma_edge.quantization.sums import Exact, balanced, exact
from melanoma_edge.quantization.ties import NUDGE, NUDGES

BITS = 10  # of the magnitude of a value
FINER_BITS = 2  # of the grid for values that arrive in integers of another scale
FINER = 2.0 ** np.arange(5)  # grids tried for values that become integers of another scale
APART = 1e-4  # of a step: distance of a value on a grid from the middle of two integers
DIVIDED = 2**11  # parts in which a mean of pixels counts, in a step that it is rounded to: more come near halves
KEPT = 0.3  # of the noise of a convolution's weights, which are rounded adaptively


@dataclass(frozen=True)
class Grids:
    """steps: of the values that are rounded to a grid as a float operator makes them, and of the constants among the
    elements that one moves, by value name. weights: by node name.
    """

    steps: Mapping[str, float]
    weights: Mapping[str, Exact]


NONE = Grids({}, {})


def floats(model: ir.Model, placement: Placement) -> list[ir.Node]:
    """The float nodes of a graph that has integer ones, in topological order."""
    return [n for n in model.graph if placement.integer and n.name not in placement.integer]


def rounded(model: ir.Model, placement: Placement) -> frozenset[str]:
    """The values that `lay` needs observations of: made by a float node, and read by a sum or by an integer node."""
    nodes = floats(model, placement)
    wanted = _read(nodes) | placement.groups.keys()
    return frozenset(str(v.name) for n in nodes for v in n.outputs if v.name in wanted)


def lay(
    model: ir.Model,
    placement: Placement,
    activations: Mapping[str, Affine],
    observations: Mapping[str, Observation],
    image: Affine | None,
) -> tuple[Grids, frozenset[str]]:
    """Grids for the float nodes, and those nodes whose results are not exact for all that.

    activations: by value. observations: of the values that float nodes make, and of quantised ones. image: exact
    parameters of the network's input.
    """
    nodes = floats(model, placement)
    read = _read(nodes)
    shared = _shared(nodes, observations)
    given = {**activations, **_named(model.graph.inputs[0], image)}
    reach, steps = _given(model, nodes, given, read, shared)
    moved, of_constants = _moved(nodes, given)
    reach, steps = reach | moved, steps | of_constants
    weights: dict[str, Exact] = {}
    means: dict[str, tuple[str, float, int]] = {}  # by value: the mean behind it, its operand's step, its pixels
    inexact: set[str] = set()
    for node in nodes:
        inputs, made = [str(v.name) for v in variable_inputs(node)], str(node.outputs[0].name)
        reaches = [reach[name] for name in inputs if name in reach]
        on_grids = len(reaches) == len(inputs)
        operator = operators.of(node)
        if operator.weighted and on_grids:
            weights[str(node.name)] = exact(array(node.inputs[1]), array(node.inputs[2]), reaches[0])
        elif operator.exact == "mean" and on_grids:
            means[made] = (str(node.name), reaches[0][0], _pixels(node))
        elif operator.exact == "copy" and any(name in means for name in inputs):
            means[made] = next(means[name] for name in inputs if name in means)
        elif operator.exact not in ("copy", "element"):
            inexact.add(str(node.name))
        crosses = made in activations and not _dyadic(activations[made].scale)
        if crosses or (made in read and made not in moved):
            step = shared.get(made) or step_of(observations[made])
            if crosses:
                usual = sorted(step_of(observations[made]) / FINER, key=lambda s: abs(np.log2(s / step)))
                step = next((s for s in usual if clear_of_halves(s, activations[made])), 0.0)
            if step == 0.0:
                inexact.add(str(node.name))
                continue
            if made in means:
                mean, part, pixels = means[made]
                if step > DIVIDED * part / pixels or not halves_stay(pixels):
                    inexact.add(mean)
            steps[made], reach[made] = step, (step, farthest(observations[made]) / step)
    return Grids(steps, weights), frozenset(inexact)


@cache
def halves_stay(pixels: int) -> bool:
    """Whether a mean that lies in the middle of two steps comes out there, be it divided by the pixels or multiplied by
    the reciprocal, as runtimes do: of 25 and 49 pixels it does, of 30 it does not, and is then rounded either way.
    """
    middles = np.arange(0.5, 2**BITS, dtype=np.float32)
    return bool((middles * np.float32(pixels) * np.float32(1 / pixels) == middles).all())


def clear_crossings(
    model: ir.Model, placement: Placement, scales: Mapping[str, Affine], observations: Mapping[str, Observation]
) -> dict[str, Affine]:
    """`scales` by group, with those a little finer whose integers a float operator makes on a grid that meets the
    middle of two of them: the 1.0 of a ReLU6 is 42.5 of its 6 / 255. Groups that integer sums, products and means bind
    stay.
    """
    bound = {
        placement.groups.get(str(v.name), "")
        for n in model.graph
        if n.name in placement.integer and operators.of(n).kernel.rounds
        for v in (*variable_inputs(n), *n.outputs)
    }
    moved = dict(scales)
    for name in (str(v.name) for n in floats(model, placement) for v in n.outputs):
        group = placement.groups.get(name, "")
        if group in bound or group in placement.fixed or group not in scales or _dyadic(scales[group].scale):
            continue
        steps, now = step_of(observations[name]) / FINER, scales[group]
        finer = (Affine(float(np.float32(now.scale * (1 - NUDGE * i))), now.zero_point) for i in range(NUDGES))
        moved[group] = next((a for a in finer if any(clear_of_halves(s, a) for s in steps)), now)
    return moved


def clear_of_halves(step: float, affine: Affine) -> bool:
    """Whether no multiple of `step` that `affine` holds lies so near the middle of two integers that runtimes, which
    multiply or divide by its scale, may take different ones."""
    parts = step / affine.scale
    multiples = np.arange(np.floor(affine.low / step) - 1, np.ceil(affine.high / step) + 2)
    return bool(np.abs(multiples * parts % 1 - 0.5).min() > APART)


def step_of(observation: Observation) -> float:
    """The power of two that holds an observed value in 2^BITS steps either way."""
    return float(2.0 ** np.ceil(np.log2(max(farthest(observation), 2.0**-30) / 2**BITS)))


def snap(value: Tensor, step: float) -> Tensor:
    """A float32 tensor rounded to multiples of a power of two."""
    return (value / step).round() * step


def magic(step: float) -> np.float32:
    """C of x + C - C, which rounds x to multiples of `step` for |x| up to 2^22 of them."""
    return np.float32(1.5 * 2**23 * step)


def _read(nodes: Collection[ir.Node]) -> set[str]:
    """The values that have to be on grids: what sums read, and what a layer makes for one Add or Mul alone, which
    runtimes join to it. Also what an operator reads whose last bit is each runtime's own, and what elements read of it:
    of few values it makes few, of which hardly one lies beside a rounding boundary."""
    kinds = {node: operators.of(node) for node in nodes}
    read = {str(v.name) for n, o in kinds.items() if o.exact not in ("copy", "element") for v in variable_inputs(n)}
    layers = [n.outputs[0] for n, o in kinds.items() if o.weighted]
    read |= {str(v.name) for v in layers if [_joins(n) for n in v.consumers()] == [True]}
    rough: set[str] = set()
    for node, operator in kinds.items():
        names = {str(v.name) for v in variable_inputs(node)} & rough
        if operator.exact == "element":
            read |= names
        elif not operator.weighted and (names or operator.exact != "copy"):
            rough |= {str(v.name) for v in node.outputs}
    return read


def _joins(node: ir.Node) -> bool:
    """Whether a node is one operation of two tensors, which runtimes join to the layer that makes one of them."""
    operator = operators.of(node)
    return operator.exact == "element" and operator.data_inputs is operators.ALL


def _shared(nodes: Collection[ir.Node], observations: Mapping[str, Observation]) -> dict[str, float]:
    """The step of each value that float layers read: see `balanced`."""
    readers: dict[str, list[ir.Node]] = {}
    for node in nodes:
        if operators.of(node).weighted and node.inputs[0] is not None:
            readers.setdefault(str(node.inputs[0].name), []).append(node)
    return {
        name: balanced([array(n.inputs[1]) for n in layers], observations[name], KEPT if convolves(layers[0]) else 1.0)
        for name, layers in readers.items()
        if name in observations
    }


def _given(
    model: ir.Model,
    nodes: Collection[ir.Node],
    activations: Mapping[str, Affine],
    read: Collection[str],
    shared: Mapping[str, float],
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Of the values in `read` that the float `nodes` do not make: their step and the largest of them in steps; and the
    steps of those that have to be rounded to them, since their scale is no power of two. shared: steps that are set."""
    made = {str(v.name) for n in nodes for v in n.outputs}
    reach: dict[str, tuple[float, float]] = {}
    steps: dict[str, float] = {}
    for name in (n for n in read if n in activations and n not in made):
        affine = activations[name]
        step = affine.scale
        if not _dyadic(step) and name == model.graph.inputs[0].name:
            continue  # float operators read the image as it comes
        if not _dyadic(step):
            usual = float(2.0 ** (np.floor(np.log2(affine.scale)) - FINER_BITS))
            step = steps[name] = shared.get(name, usual)
        reach[name] = (step, max(affine.high, -affine.low) / step)
    return reach, steps


def _moved(
    nodes: Collection[ir.Node], given: Mapping[str, Affine]
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Of values that only move elements of `given` ones whose scale is a power of two, such as the image with a border:
    their step and the largest of them in steps; and the steps of the constants among them."""
    made = {str(v.name) for n in nodes for v in n.outputs}
    reach = {
        name: (affine.scale, max(affine.high, -affine.low) / affine.scale)
        for name, affine in given.items()
        if name not in made and _dyadic(affine.scale)
    }
    moved: dict[str, tuple[float, float]] = {}
    steps: dict[str, float] = {}
    for node in nodes:
        names = [str(v.name) for v in variable_inputs(node)]
        if not operators.of(node).moves or not all(name in reach for name in names):
            continue
        step = min(reach[name][0] for name in names)
        constants = [v for v in node.inputs if v is not None and v.const_value is not None]
        farthest_of = [reach[name][0] * reach[name][1] for name in names]
        farthest_of += [float(np.abs(array(v)).max()) for v in constants]
        steps |= {str(v.name): step for v in constants}
        moved[str(node.outputs[0].name)] = reach[str(node.outputs[0].name)] = (step, max(farthest_of) / step)
    return moved, steps


def _pixels(node: ir.Node) -> int:
    """How many values each mean is of."""
    shape = node.inputs[0].shape if node.inputs[0] is not None else None
    return 1 if shape is None else int(np.prod(shape.numpy()[2:]))


def _named(value: ir.Value, affine: Affine | None) -> dict[str, Affine]:
    return {} if affine is None else {str(value.name): affine}


def _dyadic(scale: float) -> bool:
    return float(np.frexp(scale)[0]) == 0.5
