"""A private copy of the float graph in the form that quantisation needs."""

from collections import Counter

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes.common import LiftConstantsToInitializersPass

from melanoma_edge import operators


def prepare(model: ir.Model) -> ir.Model:
    """Copy `model`; its function is unchanged.

    In the copy every node has a name of its own; every Conv and Gemm with a constant weight has a weight and a bias
    that no other node reads (so that a correction moves one node only), and Gemm is y = x W' + b (transB=1,
    alpha=beta=1).
    """
    copy = model.clone()
    LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(copy)
    _name_nodes(copy.graph)
    for node in copy.graph:
        if operators.of(node).weighted and node.inputs[1] is not None and node.inputs[1].const_value is not None:
            _own_parameters(copy.graph, node)
    return copy


def array(value: ir.Value | None) -> NDArray[np.float32]:
    """The float32 array of a constant value."""
    assert value is not None and value.const_value is not None, "not a constant"
    return np.asarray(value.const_value.numpy(), np.float32)


def convolves(node: ir.Node) -> bool:
    """Whether a weighted node's weights meet more than one vector an image."""
    return array(node.inputs[1]).ndim > 2


def set_array(value: ir.Value | None, data: NDArray[np.floating]) -> None:
    """Replace the array of a constant value."""
    assert value is not None
    data = np.ascontiguousarray(data, np.float32)
    value.const_value = ir.tensor(data, name=value.name)
    value.shape = ir.Shape(data.shape)


def _name_nodes(graph: ir.Graph) -> None:
    seen: Counter[str] = Counter()
    for index, node in enumerate(graph):
        name = node.name or f"{node.op_type}_{index}"
        seen[name] += 1
        node.name = name if seen[name] == 1 else f"{name}_{index}"


def _own_parameters(graph: ir.Graph, node: ir.Node) -> None:
    weight = array(node.inputs[1])
    channels = weight.shape[0]
    stored = node.inputs[2] if len(node.inputs) > 2 else None
    if stored is not None and stored.const_value is None:
        return
    bias = np.zeros(channels, np.float32) if stored is None else array(stored)
    if weight.ndim == 2:  # a Gemm
        weight = weight if node.attributes.get_int("transB", 0) else weight.T
        channels = weight.shape[0]
        bias = np.zeros(channels, np.float32) if stored is None else bias
        weight = weight * np.float32(node.attributes.get_float("alpha", 1.0) or 0.0)
        bias = np.broadcast_to(
            bias.reshape(-1) * np.float32(node.attributes.get_float("beta", 1.0) or 0.0), (channels,)
        )
        for name in ("alpha", "beta"):
            node.attributes.pop(name, None)
        node.attributes["transB"] = ir.AttrInt64("transB", 1)
    if stored is None:
        node.resize_inputs(3)
    node.replace_input_with(1, _initializer(graph, node.inputs[1], f"{node.name}_weight", weight))
    node.replace_input_with(2, _initializer(graph, stored, f"{node.name}_bias", bias))


def _initializer(graph: ir.Graph, old: ir.Value | None, name: str, data: NDArray[np.float32]) -> ir.Value:
    """`old` itself when only one node reads it, otherwise a new initializer; holding `data` either way."""
    if old is not None and len(old.uses()) == 1 and not old.is_graph_output():
        set_array(old, data)
        return old
    while name in graph.initializers:
        name += "_"
    value = ir.val(name, ir.DataType.FLOAT, data.shape)
    set_array(value, data)
    graph.register_initializer(value)
    return value
