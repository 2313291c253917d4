"""Operators that move elements and change none: reshapes, Transpose, Concat, Pad."""

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from melanoma_edge import graph
from melanoma_edge.tflite import layout
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.errors import unsupported
from melanoma_edge.tflite.padding import Pads
from melanoma_edge.tflite.rule import Rule, always

LINEAR = ("Gemm", "MatMul")
MOST_JOINED = 4  # inputs of CONCATENATION that XNNPACK's delegate takes


def padded(e: Emission, data: int, pads: Pads) -> int:
    """`data`, an NHWC image, behind a PAD with real zero."""
    rows, height, width, channels = e.shape(data)
    (top, bottom), (left, right) = pads
    result = e.like(data, f"{e.name(data)}_pad", (rows, height + top + bottom, width + left + right, channels))
    paddings = e.int32("pads", ((0, 0), (top, bottom), (left, right), (0, 0)))
    e.op("PAD", [data, paddings], [result], schema.PadOptionsT())
    return result


def reshaped(e: Emission, data: int, name: str, shape: Sequence[int]) -> int:
    """`data` behind a RESHAPE."""
    result = e.like(data, name, shape)
    reshape_into(e, data, result)
    return result


def transposed(e: Emission, data: int, name: str, permutation: Sequence[int]) -> int:
    """`data` behind a TRANSPOSE."""
    shape = e.shape(data)
    result = e.like(data, name, [shape[i] for i in permutation])
    e.op("TRANSPOSE", [data, e.int32("perm", permutation)], [result], schema.TransposeOptionsT())
    return result


def settle(e: Emission, node: ir.Node, data: int) -> None:
    """Make `data` the result of `node`, through a QUANTIZE where the output states another scale."""
    output = e.output(node)
    given, wanted = e.quantizations.get(data), e.quantizations.get(output)
    if given is not None and wanted is not None and given.key != wanted.key:
        e.op("QUANTIZE", [data], [output], schema.QuantizeOptionsT())
    else:
        e.tensors[e.plan.lands[node]] = data
        e.builder.tensors[data].name = e.name(output)


def _reshape(node: ir.Node, e: Emission) -> None:
    before, after = _dims(node, node.inputs[0]), _dims(node, node.outputs[0])
    data, name = e.input(node, 0), str(node.outputs[0].name)
    if _is_interleaved(before) and len(after) == 2 and _feeds_only_linear(node.outputs[0]):
        e.flattened[node.outputs[0]] = (before[1], before[2], before[3])
    elif _is_interleaved(before):
        data = transposed(e, data, f"{name}_nchw", layout.NCHW)
    if _is_interleaved(after):
        data = reshaped(e, data, f"{name}_nchw", after)
        settle(e, node, transposed(e, data, name, layout.NHWC))
    else:
        settle(e, node, reshaped(e, data, name, layout.shape(after)))


def reshape_into(e: Emission, data: int, result: int) -> None:
    """Write a RESHAPE of `data` to the existing tensor `result`."""
    shape = e.shape(result)
    options = schema.ReshapeOptionsT(newShape=np.array(shape, np.int32))
    e.op("RESHAPE", [data, e.int32("shape", shape)], [result], options)


def _is_interleaved(dims: Sequence[int]) -> bool:
    """Whether NCHW and NHWC order the elements of a tensor differently."""
    return len(dims) == 4 and dims[1] > 1 and dims[2] * dims[3] > 1


def _feeds_only_linear(value: ir.Value) -> bool:
    """Whether only linear layers with constant weights read `value`, perhaps quantised."""
    if value.is_graph_output() or not value.uses():
        return False
    for node, index in value.uses():
        if graph.is_op(node, "QuantizeLinear", "DequantizeLinear"):
            if not _feeds_only_linear(node.outputs[0]):
                return False
        elif not graph.is_op(node, *LINEAR) or index != 0:
            return False
    return True


def _transpose(node: ir.Node, e: Emission) -> None:
    rank = len(_dims(node, node.inputs[0]))
    order = layout.permutation(node.attributes.get_ints("perm") or tuple(reversed(range(rank))))
    settle(e, node, transposed(e, e.input(node, 0), str(node.outputs[0].name), order))


def _concat(node: ir.Node, e: Emission) -> None:
    output = e.output(node)
    inputs = [e.requantized(e.member(node, i), output) for i in range(len(node.inputs))]
    axis = layout.axis(node.attributes["axis"].as_int(), len(e.shape(output)))
    while len(inputs) > MOST_JOINED:
        parts = [inputs[i : i + MOST_JOINED] for i in range(0, len(inputs), MOST_JOINED)]
        inputs = [part[0] if len(part) == 1 else _joined(e, part, axis, output) for part in parts]
    _join(e, inputs, axis, output)


def _joined(e: Emission, inputs: Sequence[int], axis: int, output: int) -> int:
    shape = list(e.shape(inputs[0]))
    shape[axis] = sum(e.shape(tensor)[axis] for tensor in inputs)
    result = e.like(output, f"{e.name(inputs[0])}_joined", shape)
    _join(e, inputs, axis, result)
    return result


def _join(e: Emission, inputs: Sequence[int], axis: int, output: int) -> None:
    options = schema.ConcatenationOptionsT(axis=axis, fusedActivationFunction=schema.ActivationFunctionType.NONE)
    e.op("CONCATENATION", inputs, [output], options)


def _pad(node: ir.Node, e: Emission) -> None:
    rank = len(_dims(node, node.inputs[0]))
    pads = graph.constant(node.inputs[1]) if len(node.inputs) > 1 else None
    fill = node.inputs[2] if len(node.inputs) > 2 else None
    given = node.inputs[3] if len(node.inputs) > 3 else None
    axes = np.arange(rank) if given is None else graph.constant(given)
    mode = node.attributes.get_string("mode", "constant")
    if pads is None or axes is None or mode != "constant" or (fill is not None and graph.scalar(fill) != 0.0):
        raise unsupported(node, f"only constant padding with zero is written, found mode {mode!r}")
    table = np.zeros((rank, 2), np.int32)
    table[axes.astype(np.int64)] = pads.astype(np.int32).reshape(2, -1).T
    if np.any(table < 0):
        raise unsupported(node, "negative padding is cropping")
    table = table[list(layout.NHWC)] if rank == 4 else table
    data = e.input(node, 0)
    grown = [d + int(before) + int(after) for d, (before, after) in zip(e.shape(data), table, strict=True)]
    result = e.like(data, str(node.outputs[0].name), grown)
    e.op("PAD", [data, e.int32("pads", table)], [result], schema.PadOptionsT())
    settle(e, node, result)


def _identity(node: ir.Node, e: Emission) -> None:
    e.tensors[e.plan.lands[node]] = e.input(node, 0)


def _dims(node: ir.Node, value: ir.Value | None) -> tuple[int, ...]:
    dims = None if value is None else graph.dims(value)
    if dims is None:
        raise unsupported(node, "it needs known shapes")
    return dims


RULES = {
    "Concat": Rule(_concat, always),
    "Flatten": Rule(_reshape, always),
    "Identity": Rule(_identity),
    "Pad": Rule(_pad, always),
    "Reshape": Rule(_reshape, always),
    "Squeeze": Rule(_reshape, always),
    "Transpose": Rule(_transpose, always),
    "Unsqueeze": Rule(_reshape, always),
}
