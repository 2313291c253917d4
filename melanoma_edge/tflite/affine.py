"""The scale and zero point of a QuantizeLinear or DequantizeLinear node, in TFLite's int8.

The QDQ graph's activations are uint8; TFLite's integer is the same number less 128, and so is its zero point.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.errors import unsupported

SHIFT = 128  # uint8 to int8


@dataclass(frozen=True)
class Integers:
    """Constant integers behind a DequantizeLinear: int8 or int32, with one scale or one for each index of `axis`."""

    array: NDArray[Any]
    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int

    def real(self) -> NDArray[np.float32]:
        """What the DequantizeLinear computes."""
        shape = [1] * self.array.ndim
        if self.scale.size > 1:
            shape[self.axis] = self.scale.size
        zero = np.broadcast_to(self.zero_point, self.scale.shape).reshape(shape)
        return (self.array.astype(np.int64) - zero).astype(np.float32) * self.scale.reshape(shape)


def per_tensor(node: ir.Node) -> Quantization:
    """Parameters of an activation's QuantizeLinear or DequantizeLinear.

    Raises UnsupportedOperatorError when they are not constants, not one number, or not 8-bit.
    """
    scale, zero_point, shift = _parameters(node)
    if scale.size != 1 or shift is None:
        raise unsupported(node, "activations need one constant scale and a uint8 or int8 zero point")
    return Quantization(scale.reshape(1), np.broadcast_to(zero_point, (1,)) - shift)


def constant_integers(node: ir.Node | None) -> Integers | None:
    """The integers that a DequantizeLinear of a constant reads; None for a computed input, or another operator."""
    if node is None or not graph.is_dequantize(node):
        return None
    array: NDArray[Any] | None = graph.constant(node.inputs[0])
    if array is None:
        return None
    scale, zero_point, _ = _parameters(node)
    if array.dtype == np.uint8:
        array, zero_point = (array.astype(np.int16) - SHIFT).astype(np.int8), zero_point - SHIFT
    if array.dtype not in (np.int8, np.int32):
        raise unsupported(node, f"constants are uint8, int8 or int32 here, found {array.dtype}")
    axis = int(node.attributes.get_int("axis", 1)) % max(array.ndim, 1)
    return Integers(array, scale.reshape(-1), zero_point, axis)


def saturates(output: Quantization, low: float, high: float) -> bool:
    """Whether an int8 tensor quantised as `output` cannot leave [low, high] by more than half a step."""
    scale, zero_point = float(output.scale[0]), float(output.zero_point[0])
    return (-128 - zero_point) * scale >= low - scale / 2 and (127 - zero_point) * scale <= high + scale / 2


def _parameters(node: ir.Node) -> tuple[NDArray[np.float32], NDArray[np.int64], int | None]:
    """(scale, zero point as stored, what to take off for int8: None for int32)."""
    scale = graph.constant(node.inputs[1])
    given = node.inputs[2] if len(node.inputs) > 2 else None
    zero_point = np.zeros(1, np.uint8) if given is None else graph.constant(given)
    if scale is None or zero_point is None:
        raise unsupported(node, "scale and zero point must be constants")
    shift = {"uint8": SHIFT, "int8": 0}.get(zero_point.dtype.name)
    return scale.astype(np.float32), zero_point.reshape(-1).astype(np.int64), shift
