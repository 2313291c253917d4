"""Operators that several ONNX operators are written with: PAD, RESHAPE, TRANSPOSE, and a change of scale."""

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from melanoma_edge.tflite import schema
from melanoma_edge.tflite.emission import Emission
from melanoma_edge.tflite.padding import Pads


def padded(e: Emission, data: int, pads: Pads) -> int:
    """`data`, an NHWC image, behind a PAD with real zero."""
    (top, bottom), (left, right) = pads
    return padded_axes(e, data, f"{e.name(data)}_pad", ((0, 0), (top, bottom), (left, right), (0, 0)))


def padded_axes(e: Emission, data: int, name: str, pads: Sequence[Sequence[int]]) -> int:
    """`data` behind a PAD with real zero; pads: (before, after) of each axis."""
    grown = [side + int(before) + int(after) for side, (before, after) in zip(e.shape(data), pads, strict=True)]
    result = e.like(data, name, grown)
    e.op("PAD", [data, e.int32("pads", pads)], [result], schema.PadOptionsT())
    return result


def reshaped(e: Emission, data: int, name: str, shape: Sequence[int]) -> int:
    """`data` behind a RESHAPE."""
    result = e.like(data, name, shape)
    reshape_into(e, data, result)
    return result


def reshape_into(e: Emission, data: int, result: int) -> None:
    """Write a RESHAPE of `data` to the existing tensor `result`."""
    shape = e.shape(result)
    options = schema.ReshapeOptionsT(newShape=np.array(shape, np.int32))
    e.op("RESHAPE", [data, e.int32("shape", shape)], [result], options)


def transposed(e: Emission, data: int, name: str, permutation: Sequence[int]) -> int:
    """`data` behind a TRANSPOSE; itself where the permutation changes nothing."""
    if list(permutation) == list(range(len(permutation))):
        return data
    shape = e.shape(data)
    result = e.like(data, name, [shape[i] for i in permutation])
    e.op("TRANSPOSE", [data, e.int32("perm", permutation)], [result], schema.TransposeOptionsT())
    return result


def settle(e: Emission, node: ir.Node, data: int) -> None:
    """Make `data`, which nothing else is, the result of `node`, through a QUANTIZE where that states another scale."""
    output = e.output(node)
    given, wanted = e.quantizations.get(data), e.quantizations.get(output)
    if given is not None and wanted is not None and given.key != wanted.key:
        e.op("QUANTIZE", [data], [output], schema.QuantizeOptionsT())
    else:
        e.tensors[e.plan.lands[node]] = data
        e.builder.tensors[data].name = e.name(output)


def same(e: Emission, node: ir.Node, data: int) -> None:
    """Let `data` stand for the result of `node` too, through a QUANTIZE where that states another scale."""
    output = e.output(node) if e.is_integer(node) else data
    if output != data and e.quantizations[data].key != e.quantizations[output].key:
        e.op("QUANTIZE", [data], [output], schema.QuantizeOptionsT())
    else:
        e.tensors[e.plan.lands[node]] = data
