"""Reading and rewriting an `onnx_ir` graph: constants, shapes, consumers, replacing a node by a value."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes import common

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"

Attribute: TypeAlias = int | float | str | Sequence[int] | Sequence[float]


def constant(value: ir.Value | None) -> NDArray[np.generic] | None:
    """The array behind an initializer or a `Constant` node; None for anything computed, or absent."""
    if value is None:
        return None
    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy()


def scalar(value: ir.Value | None) -> float | None:
    """The number behind a constant of one element; None for anything else."""
    array = constant(value)
    return float(array.reshape(())) if array is not None and array.size == 1 else None


def dims(value: ir.Value) -> tuple[int, ...] | None:
    """The shape of `value` when every dimension is known, else None."""
    if value.shape is None or not all(isinstance(d, int) for d in value.shape):
        return None
    return tuple(int(d) for d in value.shape if isinstance(d, int))


def producer(value: ir.Value | None, op_type: str) -> ir.Node | None:
    """The node that computes `value`, if it is an `op_type` of the default domain."""
    node = None if value is None else value.producer()
    return node if node is not None and is_op(node, op_type) else None


def is_op(node: ir.Node, *op_types: str) -> bool:
    """Whether `node` is one of `op_types` of the default ONNX domain."""
    return node.domain == "" and node.op_type in op_types


def is_quantize(node: ir.Node) -> bool:
    """Whether `node` rounds floats to integers."""
    return is_op(node, QUANTIZE)


def is_dequantize(node: ir.Node) -> bool:
    """Whether `node` makes floats of integers."""
    return is_op(node, DEQUANTIZE)


def dequantizer(value: ir.Value | None) -> ir.Node | None:
    """The DequantizeLinear that makes `value`; None for another one."""
    return producer(value, DEQUANTIZE)


def is_constant(value: ir.Value | None) -> bool:
    """Whether `value` is a constant, or the floats of constant integers."""
    node = dequantizer(value)
    return constant(value if node is None else node.inputs[0]) is not None


def only_used_by(value: ir.Value, node: ir.Node) -> bool:
    """Whether `node` alone reads `value`, once, and no graph output does."""
    uses = list(value.uses())
    return len(uses) == 1 and uses[0].node is node and not value.is_graph_output()


def data_and_constant(node: ir.Node) -> tuple[ir.Value, NDArray[np.generic]] | None:
    """(computed operand, constant operand) of a binary node in either order; None unless it has one of each."""
    first, second = node.inputs
    for data, other in ((first, second), (second, first)):
        array = constant(other)
        if data is not None and constant(data) is None and array is not None:
            return data, array
    return None


def free_name(graph: ir.Graph, name: str) -> str:
    """`name`, or `name` and a number where a value of the graph is called so."""
    taken = set(graph.initializers) | {v.name for n in graph for v in n.outputs} | {v.name for v in graph.inputs}
    unique, n = name, 1
    while unique in taken:
        unique, n = f"{name}_{n}", n + 1
    return unique


def add_constant(graph: ir.Graph, name: str, array: NDArray[np.generic]) -> ir.Value:
    """Register `array` as a new initializer whose name starts with `name`."""
    unique = free_name(graph, name)
    tensor = ir.tensor(np.asarray(array, order="C"), name=unique)
    value = ir.Value(name=unique, type=ir.TensorType(tensor.dtype), shape=ir.Shape(array.shape), const_value=tensor)
    graph.register_initializer(value)
    return value


def insert(
    before: ir.Node,
    op_type: str,
    inputs: Sequence[ir.Value | None],
    shape: Sequence[int] | None,
    attributes: Mapping[str, Attribute] | None = None,
) -> ir.Value:
    """The float32 output of a new node placed just before `before`; `shape` is its shape where known."""
    node = ir.node(op_type, inputs, attributes)
    graph_of(before).insert_before(before, node)
    node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    node.outputs[0].shape = None if shape is None else ir.Shape(shape)
    return node.outputs[0]


def replace(node: ir.Node, value: ir.Value) -> None:
    """Let `value` take the place of `node`'s output, keep a graph output's name, and remove `node`.

    `value` must be computed by a node when the output is the graph's.
    """
    old = node.outputs[0]
    is_output = old.is_graph_output()
    if value.shape is None:
        value.shape = old.shape
    old.replace_all_uses_with(value, replace_graph_outputs=is_output)
    graph_of(node).remove(node, safe=True)
    if is_output:
        value.name = old.name


def can_bypass(node: ir.Node) -> bool:
    """Whether `replace(node, node.inputs[0])` is allowed: a graph output must stay computed, and be the only one."""
    source, output = node.inputs[0], node.outputs[0]
    return not output.is_graph_output() or (
        source is not None and source.producer() is not None and not source.is_graph_output()
    )


def graph_of(node: ir.Node) -> ir.Graph:
    """The graph that holds `node`."""
    if not isinstance(node.graph, ir.Graph):
        raise ValueError(f"{node.name} was removed from its graph")
    return node.graph


def tidy(model: ir.Model) -> None:
    """Drop nodes and initializers that nothing reads, and infer the shapes of the rest."""
    common.RemoveUnusedNodesPass()(model)
    common.ShapeInferencePass()(model)


def drop_unused(graph: ir.Graph) -> None:
    """Drop initializers that nothing reads."""
    outputs = set(graph.outputs)
    for name, value in list(graph.initializers.items()):
        if not value.uses() and value not in outputs:
            del graph.initializers[name]
