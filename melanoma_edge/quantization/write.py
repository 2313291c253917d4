"""Writes a scheme as the QDQ ONNX graph that every runtime's file is emitted from.

Activations: uint8 QuantizeLinear -> DequantizeLinear pairs, scalar scale and zero point. Weights: int8, per output
channel (axis 0), symmetric. Bias: int32 with scale input_scale * weight_scale. Constant operands: uint8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph as graphs
from melanoma_edge.operators import clamp_bounds
from melanoma_edge.quantization.affine import quantize_array
from melanoma_edge.quantization.grids import magic
from melanoma_edge.quantization.placement import constant_operands
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.sums import on_grid
from melanoma_edge.quantization.weights import Weights, bias_scales


@dataclass(frozen=True)
class _Draft:
    """The new graph while it grows.

    floats, reals: old name of a value to the value as a float operator made it, and as its DequantizeLinear gives it.
    """

    scheme: Scheme
    output: str
    nodes: list[ir.Node] = field(default_factory=list)
    initializers: dict[str, ir.Value] = field(default_factory=dict)
    floats: dict[str, ir.Value] = field(default_factory=dict)
    reals: dict[str, ir.Value] = field(default_factory=dict)


def write(model: ir.Model, scheme: Scheme) -> ir.Model:
    """The QDQ model of `model` (as `prepare` returns it) under `scheme`. The same arguments give the same bytes."""
    image = _like(model.graph.inputs[0])
    draft = _Draft(scheme, str(model.graph.outputs[0].name), floats={str(image.name): image})
    for node in model.graph:
        if node.name not in scheme.placement.integer:
            _write_float(draft, node)
        elif clamp_bounds(node) is None:
            _write_integer(draft, node)
    output = draft.reals.get(draft.output) or draft.floats[draft.output]
    graph = ir.Graph(
        [image],
        [output],
        nodes=draft.nodes,
        initializers=list(draft.initializers.values()),
        opset_imports=model.opset_imports,
        name=model.graph.name,
    )
    return ir.Model(graph, ir_version=model.ir_version, producer_name="melanoma-edge")


def _like(value: ir.Value, name: str = "") -> ir.Value:
    return ir.val(name or value.name, shape=value.shape, type=value.type)


def _add(
    draft: _Draft,
    operator: str,
    inputs: Sequence[ir.Value | None],
    output: ir.Value,
    attributes: Mapping[str, ir.Attr | int] | None = None,
) -> ir.Value:
    draft.nodes.append(ir.node(operator, inputs, attributes, outputs=[output], name=f"{output.name}_{operator}"))
    return output


def _constant(draft: _Draft, name: str, data: np.ndarray) -> ir.Value:
    if name not in draft.initializers:
        tensor = ir.tensor(np.asarray(data, order="C"), name=name)
        draft.initializers[name] = ir.val(name, const_value=tensor)
    return draft.initializers[name]


def _parameters(draft: _Draft, name: str) -> list[ir.Value]:
    """Scale and zero point of a value or constant, one pair for its whole group."""
    affine, owner = draft.scheme.activations[name], draft.scheme.placement.groups.get(name, name)
    scale = _constant(draft, f"{owner}_scale", np.asarray(affine.scale, np.float32))
    return [scale, _constant(draft, f"{owner}_zero_point", np.asarray(affine.zero_point, np.uint8))]


def _quantize(draft: _Draft, name: str, source: ir.Value) -> ir.Value:
    """The Q/DQ pair of the value `name` that was computed as `source`."""
    parameters = _parameters(draft, name)
    integers = ir.val(f"{name}_quantized", ir.DataType.UINT8, source.shape)
    real = ir.val(name if name == draft.output else f"{name}_dequantized", ir.DataType.FLOAT, source.shape)
    _add(draft, graphs.QUANTIZE, [source, *parameters], integers)
    draft.reals[name] = _add(draft, graphs.DEQUANTIZE, [integers, *parameters], real)
    return real


def _dequantize(
    draft: _Draft, name: str, integers: np.ndarray, parameters: Sequence[ir.Value], axis: int | None
) -> ir.Value:
    """A constant behind its DequantizeLinear, written once."""
    if name not in draft.reals:
        stored = _constant(draft, f"{name}_quantized", integers)
        real = ir.val(f"{name}_dequantized", ir.DataType.FLOAT, integers.shape)
        attributes = {} if axis is None else {"axis": axis}
        draft.reals[name] = _add(draft, graphs.DEQUANTIZE, [stored, *parameters], real, attributes)
    return draft.reals[name]


def _write_float(draft: _Draft, node: ir.Node) -> None:
    inputs: list[ir.Value | None] = []
    exact = _on_grids(draft, node)
    for value in node.inputs:
        if value is None:
            inputs.append(None)
        elif value.name in exact:
            inputs.append(_constant(draft, f"{value.name}_on_grid", exact[str(value.name)]))
        elif value.const_value is not None:
            inputs.append(_constant(draft, str(value.name), value.const_value.numpy()))
        else:
            inputs.append(_float(draft, str(value.name)))
    output = _like(node.outputs[0])
    draft.floats[str(output.name)] = output
    draft.nodes.append(
        ir.node(node.op_type, inputs, dict(node.attributes), domain=node.domain, outputs=[output], name=node.name)
    )
    if output.name in draft.scheme.grids.steps:
        draft.floats[str(output.name)] = _snap(draft, output, draft.scheme.grids.steps[str(output.name)])


def _float(draft: _Draft, name: str) -> ir.Value:
    """A value as a float operator reads it; one that arrives in integers goes to the grid first, once."""
    if name not in draft.floats and name in draft.scheme.grids.steps:
        draft.floats[name] = _snap(draft, draft.reals[name], draft.scheme.grids.steps[name])
    return draft.floats.get(name) or draft.reals[name]


def _on_grids(draft: _Draft, node: ir.Node) -> dict[str, np.ndarray]:
    """The constants of a float node that stand on grids, by value name."""
    exact, steps = draft.scheme.grids.weights.get(str(node.name)), draft.scheme.grids.steps
    if exact is None:
        constants = [v for v in node.inputs if v is not None and v.const_value is not None and v.name in steps]
        return {str(v.name): on_grid(array(v), np.array(steps[str(v.name)])) for v in constants}
    return {str(v.name): data for v, data in zip(node.inputs[1:], (exact.weight, exact.bias), strict=True) if v}


def _snap(draft: _Draft, value: ir.Value, step: float) -> ir.Value:
    """`value` rounded to multiples of `step`, as `grids` tells."""
    rank = len(value.shape or ())
    constant = _constant(draft, f"grid_{step}_{rank}", np.full([1] * rank, magic(step)))
    raised = _add(draft, "Add", [value, constant], _like(value, f"{value.name}_raised"))
    return _add(draft, "Sub", [raised, constant], _like(value, f"{value.name}_on_grid"))


def _write_integer(draft: _Draft, node: ir.Node) -> None:
    weights = draft.scheme.weights.get(str(node.name))
    quantized = [v.name for v in constant_operands(node)]
    inputs: list[ir.Value | None] = []
    for value in node.inputs:
        name = str(value.name) if value is not None else ""
        if value is None:
            inputs.append(None)
        elif value.const_value is None:
            inputs.append(draft.reals.get(name) or _quantize(draft, name, draft.floats[name]))
        elif name in quantized:
            integers = quantize_array(array(value), draft.scheme.activations[name])
            inputs.append(_dequantize(draft, name, integers, _parameters(draft, name), None))
        elif weights is None:
            inputs.append(_constant(draft, name, value.const_value.numpy()))
    if weights is not None:
        inputs += _weights(draft, node, weights)
    computed = node.outputs[0]
    name = str(computed.name)
    if name not in draft.scheme.activations:  # a removed Relu or Clip takes it over
        name = str(computed.consumers()[0].outputs[0].name)
    raw = _like(computed, str(computed.name) if name != draft.output else f"{name}_float")
    draft.nodes.append(ir.node(node.op_type, inputs, dict(node.attributes), outputs=[raw], name=node.name))
    _quantize(draft, name, raw)


def _weights(draft: _Draft, node: ir.Node, weights: Weights) -> list[ir.Value]:
    """The weight and bias operands of a Conv or Gemm."""
    source, weight, bias = (str(v.name) if v is not None else "" for v in node.inputs)
    channels = len(weights.scales)
    scales = _constant(draft, f"{weight}_scale", weights.scales)
    zeros = _constant(draft, f"int8_zero_points_{channels}", np.zeros(channels, np.int8))  # QGemm asks for them
    bias_scale = bias_scales(draft.scheme.activations[source].scale, weights.scales)
    return [
        _dequantize(draft, weight, weights.values, [scales, zeros], 0),
        _dequantize(draft, bias, weights.bias, [_constant(draft, f"{bias}_scale", bias_scale)], 0),
    ]
