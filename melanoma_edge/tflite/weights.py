"""The weights of Conv, Gemm and MatMul as an operator reads them: float32, or int8 with an int32 bias."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge.tflite.affine import Integers, constant_integers
from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.emission import Emission, constant_input
from melanoma_edge.tflite.errors import unsupported


@dataclass(frozen=True)
class Weights:
    """array: float32 or int8, output channels on axis 0. bias: float32 or int32 `[O]`. scale: of int8 weights, `[1]` or
    `[O]`, else None. bias_scale: of the int32 bias, input scale times weight scale.
    """

    name: str
    array: NDArray[Any]
    bias: NDArray[Any]
    scale: NDArray[np.float32] | None = None
    bias_scale: NDArray[np.float32] | None = None

    def with_array(self, array: NDArray[Any]) -> "Weights":
        """The same with its weights arranged otherwise."""
        return Weights(self.name, array, self.bias, self.scale, self.bias_scale)

    def tensors(self, e: Emission, channel_axis: int = 0) -> list[int]:
        """[filter, bias] as constants; `channel_axis` is where the filter's output channels lie."""
        name, constant = f"{self.name}_bias", e.builder.constant
        if self.scale is None or self.bias_scale is None:
            return [constant(self.name, self.array), constant(name, self.bias)]
        zero = np.zeros(self.scale.shape, np.int64)
        return [
            constant(self.name, self.array, Quantization(self.scale, zero, channel_axis)),
            constant(name, self.bias, Quantization(self.bias_scale, zero)),
        ]


def read_weights(node: ir.Node, e: Emission) -> Weights:
    """Weights and bias of `node`, int8 when it is an 8-bit operator. Raises UnsupportedOperatorError when computed."""
    bias = constant_input(node, 2) if len(node.inputs) > 2 and node.inputs[2] is not None else None
    return _read_integer(node, e, bias) if e.is_integer(node) else _read_float(node, bias)


def has_integer_weights(node: ir.Node, output: Quantization) -> bool:
    """Whether weights are symmetric int8 with scales along the output channels, and the bias int32 or absent."""
    weights = constant_integers(node.inputs[1].producer()) if node.inputs[1] is not None else None
    given = node.inputs[2] if len(node.inputs) > 2 else None
    bias = constant_integers(given.producer()) if given is not None else None
    if weights is None or weights.array.dtype != np.int8 or np.any(weights.zero_point):
        return False
    if given is not None and (bias is None or bias.array.dtype != np.int32 or np.any(bias.zero_point)):
        return False
    scaled = node.attributes.get_float("alpha", 1.0) != 1.0 or node.attributes.get_float("beta", 1.0) != 1.0
    return not scaled and (weights.scale.size == 1 or weights.axis == int(_columns_first(node, weights.array)))


def _columns_first(node: ir.Node, weights: NDArray[Any]) -> bool:
    """Whether the weights are a matrix `[in, out]`."""
    return weights.ndim == 2 and node.attributes.get_int("transB", 0) != 1


def _read_float(node: ir.Node, bias: NDArray[np.float32] | Integers | None) -> Weights:
    given = constant_input(node, 1)
    real = given.real() if isinstance(given, Integers) else given
    rows = real.T if _columns_first(node, real) else real
    rows = rows * np.float32(node.attributes.get_float("alpha", 1.0))
    offset = np.zeros(1, np.float32) if bias is None else bias.real() if isinstance(bias, Integers) else bias
    offset = offset * np.float32(node.attributes.get_float("beta", 1.0))
    if offset.size not in (1, len(rows)):
        raise unsupported(node, f"a bias of shape {offset.shape} differs between rows")
    name = str(node.inputs[1].name if node.inputs[1] is not None else node.name)
    return Weights(name, rows, np.broadcast_to(offset.reshape(-1), (len(rows),)))


def _read_integer(node: ir.Node, e: Emission, bias: NDArray[np.float32] | Integers | None) -> Weights:
    given = constant_input(node, 1)
    source = node.inputs[1].producer() if node.inputs[1] is not None else None
    if not isinstance(given, Integers) or source is None or source.inputs[0] is None:
        raise unsupported(node, "an 8-bit operator has integer weights")
    rows = given.array.T if _columns_first(node, given.array) else given.array
    input_scale = e.quantizations[e.input(node, 0)].scale[0]
    bias_scale = (given.scale * input_scale).astype(np.float32)
    integers = np.zeros(1, np.int32) if not isinstance(bias, Integers) else _in_steps_of(bias_scale, bias)
    whole = np.broadcast_to(integers, (len(rows),))
    return Weights(str(source.inputs[0].name), rows, whole, given.scale, bias_scale)


def _in_steps_of(scale: NDArray[np.float32], bias: Integers) -> NDArray[np.int32]:
    """The bias in steps of `scale`, which is how TFLite's kernels read it whatever its tensor states."""
    integers = bias.array.astype(np.int32).reshape(-1)
    if np.allclose(bias.scale, scale, rtol=1e-5, atol=0):
        return integers
    return np.rint(integers * bias.scale.astype(np.float64) / scale).astype(np.int32)
