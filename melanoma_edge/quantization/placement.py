"""Which operators run in integers and which values share a scale, decided from the graph alone."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from melanoma_edge import operators
from melanoma_edge.operators import Bounds, clamp_bounds
from melanoma_edge.quantization.affine import Affine
from melanoma_edge.quantization.prepare import array

UNBOUNDED: Bounds = (-np.inf, np.inf)


@dataclass(frozen=True)
class Placement:
    """The result of `place`; nodes and values are named as in the graph.

    integer: nodes with an integer kernel, and the Relu and Clip nodes that the QuantizeLinear behind them replaces.
    groups: quantised value to the name of its group; a group has one scale and zero point.
    sources: the values of `groups` whose range sets the group's (its other members are copies or parts of them).
    fixed: groups whose parameters are given. bounds: what the removed Relu and Clip of a group saturate at.
    constants: quantised constant operands of Add, Mul and Concat; those of a Concat are in `groups` too.
    """

    integer: frozenset[str]
    groups: Mapping[str, str]
    sources: frozenset[str]
    fixed: Mapping[str, Affine]
    bounds: Mapping[str, Bounds]
    constants: frozenset[str]


def place(model: ir.Model, *, image: Affine | None, float_head: bool, float_nodes: Collection[str]) -> Placement:
    """Place every operator that has an integer kernel in all runtimes (`operators.kernel`), except those kept in float.

    image: exact parameters of the network's input, when its preprocessing has any. float_head: the last Conv or Gemm,
    the mean over pixels before it and what follows it stay in float, so that neither the features that it reads nor the
    logits are rounded to 8 bits. float_nodes: names of further nodes.
    An operator without weights stays in float when all it reads comes from float operators, and runs in integers when
    all around it does: runtimes make an integer kernel of it in any case. A Relu or Clip disappears
    when the group of its output saturates at its bounds; otherwise it runs in float. Deterministic.
    """
    graph = model.graph
    kept, asked = set(float_nodes) | (set(_head(graph)) if float_head else set()), set(float_nodes)
    while True:
        integer = _integer_nodes(graph, kept)
        groups = _groups(graph, integer)
        conflict = _conflict(graph, integer, groups, image)
        around = _surrounded(graph, integer, kept & asked)
        bordered = _borders_of_floats(graph, integer)
        if conflict is None and not around and not bordered:
            break
        kept = (kept - around) | bordered
        if conflict is not None:
            kept.add(conflict)
            asked.discard(conflict)
    constants = frozenset(str(v.name) for n in graph if n.name in integer for v in constant_operands(n))
    sources = frozenset(v for v in groups if v not in constants and not _is_copy(graph, v, integer))
    return Placement(
        integer=integer,
        groups=groups,
        sources=sources,
        fixed={groups[v]: a for v, a in _fixed(graph, integer, image) if v in groups},
        bounds={groups[str(n.outputs[0].name)]: b for n in graph if n.name in integer and (b := clamp_bounds(n))},
        constants=constants,
    )


def variable_inputs(node: ir.Node) -> list[ir.Value]:
    """The operands of a node that are not constants."""
    return [v for v in node.inputs if v is not None and v.const_value is None]


def constant_operands(node: ir.Node) -> list[ir.Value]:
    """The constants that are operands like any other, so that they are quantised as activations are."""
    kernel = operators.kernel(node)
    return [v for v in node.inputs if v is not None and v.const_value is not None] if kernel and kernel.constant else []


def _saturates(node: ir.Node) -> bool:
    return clamp_bounds(node) is not None


def _head(graph: ir.Graph) -> Iterator[str]:
    """Names of the nodes from the last weighted operator, and the mean over pixels that it may read, to the output."""
    node, last = graph.outputs[0].producer(), False
    while node is not None:
        yield str(node.name)
        before = variable_inputs(node)
        if len(before) != 1 or _is_mean(node):
            return
        last = last or operators.of(node).weighted
        node = _mean_before(before[0]) if last else before[0].producer()


def _mean_before(value: ir.Value) -> ir.Node | None:
    """The mean over pixels, or the reshape behind one, that makes `value` for one reader only."""
    node = value.producer()
    if node is None or len(value.consumers()) != 1 or not (_is_mean(node) or operators.of(node).keeps_order):
        return None
    return node if _is_mean(node) or (node.inputs[0] and _mean_before(node.inputs[0])) else None


def _is_mean(node: ir.Node) -> bool:
    return operators.of(node).exact == "mean"


def _has_kernel(node: ir.Node) -> bool:
    operator, variables = operators.of(node), variable_inputs(node)
    if not operator.kernel.everywhere or len(node.outputs) != 1 or not variables:
        return False
    if operator.weighted:
        return len(variables) == 1 and len(node.inputs) == 3 and all(v is not None for v in node.inputs)
    return operator.data_inputs is operators.ALL or len(variables) == 1


def _integer_nodes(graph: ir.Graph, kept: Collection[str]) -> frozenset[str]:
    """Nodes in integers, in one topological sweep: whether a node is depends on where its operands come from."""
    integer: set[str] = set()
    for node in graph:
        producers = [v.producer() for v in variable_inputs(node)]
        from_integers = [p is None or p.name in integer for p in producers]
        if _saturates(node):
            fits = from_integers[0] and _can_disappear(node)
        else:
            fits = _has_kernel(node) and (operators.of(node).weighted or any(from_integers))
        if fits and node.name not in kept:
            integer.add(str(node.name))
    return frozenset(integer)


def _surrounded(graph: ir.Graph, integer: Collection[str], kept: Collection[str]) -> set[str]:
    """Those of `kept` without weights that read what integer operators make and whose results only such ones read, with
    the Relu or Clip behind them."""
    found: set[str] = set()
    for node in graph:
        weighted = operators.kernel(node) is None or operators.of(node).weighted
        if node.name not in kept or node.name in integer or weighted:
            continue
        last = node.outputs[0]
        readers = last.consumers()
        absorbed = [n for n in readers if len(readers) == 1 and _saturates(n) and n.name in kept]
        if absorbed:
            last = absorbed[0].outputs[0]
        makers = [v.producer() for v in variable_inputs(node)]
        inside = all(n.name in integer for n in last.consumers()) and not last.is_graph_output()
        if inside and all(n is None or n.name in integer for n in makers):
            found |= {str(n.name) for n in (node, *absorbed)}
    return found


def _borders_of_floats(graph: ir.Graph, integer: Collection[str]) -> set[str]:
    """Integer nodes that put a border around the image for float operators alone, which read it as it comes."""
    found: set[str] = set()
    borders: set[str] = {str(graph.inputs[0].name)}
    for node in graph:
        if operators.of(node).moves and all(v.name in borders for v in variable_inputs(node)):
            borders.add(str(node.outputs[0].name))
    for node in reversed(graph):
        made = node.outputs[0]
        readers = [n.name for n in made.consumers()]
        border = node.name in integer and made.name in borders and readers and not made.is_graph_output()
        if border and all(name not in integer or name in found for name in readers):
            found.add(str(node.name))
    return found


def _can_disappear(node: ir.Node) -> bool:
    """Whether the QuantizeLinear of the operator before this Relu or Clip can do its work."""
    value = variable_inputs(node)[0]
    producer = value.producer()
    low, high = clamp_bounds(node) or UNBOUNDED
    kernel = None if producer is None else operators.kernel(producer)
    requantizes = kernel is not None and not kernel.shares
    return requantizes and len(value.uses()) == 1 and not value.is_graph_output() and low <= 0 <= high


def _absorbed(value: ir.Value, integer: Collection[str]) -> bool:
    """Whether `value` is read by a Relu or Clip that disappears, so that only that one's output is quantised."""
    consumers = value.consumers()
    return len(consumers) == 1 and _saturates(consumers[0]) and consumers[0].name in integer


def _groups(graph: ir.Graph, integer: Collection[str]) -> dict[str, str]:
    """Union of the values that must share parameters; the first value of a group in graph order names it."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for node in graph:
        if node.name not in integer:
            continue
        read = [] if _saturates(node) else variable_inputs(node)
        shares = _shares(node)
        given = constant_operands(node) if shares else []
        values = [str(v.name) for v in [*read, *given, *node.outputs] if not _absorbed(v, integer)]
        for name in values:
            parent.setdefault(name, name)
        if shares:
            first = find(values[0])
            for name in values[1:]:
                parent[find(name)] = first
    return {name: find(name) for name in parent}


def _is_copy(graph: ir.Graph, name: str, integer: Collection[str]) -> bool:
    """Whether a value only repeats values of its own group (a reshape, a pool, a concatenation)."""
    producer = _producers(graph).get(name)
    return producer is not None and producer.name in integer and _shares(producer)


def _shares(node: ir.Node) -> bool:
    """Whether a node's output has the scale of its inputs."""
    return operators.of(node).kernel.shares


def _producers(graph: ir.Graph) -> dict[str, ir.Node]:
    return {str(v.name): node for node in graph for v in node.outputs}


def _fixed(graph: ir.Graph, integer: Collection[str], image: Affine | None) -> Iterator[tuple[str, Affine]]:
    if image is not None:
        yield str(graph.inputs[0].name), image
    for node in graph:
        fixed = operators.of(node).kernel.fixed
        if fixed is not None and node.name in integer:
            yield str(node.outputs[0].name), Affine(*fixed)


def _conflict(graph: ir.Graph, integer: frozenset[str], groups: Mapping[str, str], image: Affine | None) -> str | None:
    """A node that must run in float because values of one group want different parameters; None when there is none."""
    fixed = dict(_fixed(graph, integer, image))
    producers = _producers(graph)
    given = {str(v.name) for n in graph if n.name in integer for v in constant_operands(n)}
    wanted: dict[str, set[tuple[Affine | None, Bounds]]] = {}
    for name, group in groups.items():
        if name not in given and not _is_copy(graph, name, integer):
            node = producers.get(name)
            bounds = clamp_bounds(node) if node is not None and node.name in integer else None
            wanted.setdefault(group, set()).add((fixed.get(name), bounds or UNBOUNDED))
    for node in graph:
        joins = node.name in integer and _shares(node) and operators.of(node).data_inputs is operators.ALL
        asked = wanted[groups[str(node.outputs[0].name)]] if joins else set()
        if joins and (len(asked) > 1 or not all(_holds(asked, v) for v in constant_operands(node))):
            return str(node.name)
    return None


def _holds(wanted: Collection[tuple[Affine | None, Bounds]], constant: ir.Value) -> bool:
    """Whether a group that wants these parameters and bounds has room for a constant."""
    low, high = float(array(constant).min()), float(array(constant).max())
    within = [(a.low, a.high) for a, _ in wanted if a is not None] + [bounds for _, bounds in wanted]
    return all(least <= low and high <= most for least, most in within)
