"""QuantizeLinear and DequantizeLinear pairs for the tests, in the form that the quantiser writes."""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_graphs import Array, Builder, session


def values_of(b: Builder, x: ir.Value, image: Array) -> Array:
    """What `x` is for `image`, as the graph stands."""
    b.graph.outputs[:] = [x]
    return np.asarray(session(b.model, optimize=False).run(None, {"image": image})[0])


def pair(b: Builder, x: ir.Value, scale: float, zero_point: int) -> ir.Value:
    """`x` through uint8."""
    parameters = [b.const(scale), b.const(zero_point, np.uint8)]
    quantized = b.op("QuantizeLinear", x, *parameters)
    quantized.type = ir.TensorType(ir.DataType.UINT8)
    return b.op("DequantizeLinear", quantized, *parameters)


def fitted(b: Builder, x: ir.Value, image: Array) -> ir.Value:
    """`x` through uint8 with the range that it has for `image`."""
    values = values_of(b, x, image)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-3)
    scale = float(np.float32((high - low) / 255))
    return pair(b, x, scale, round(-low / scale))


def before_rounding(b: Builder, y: ir.Value, image: Array) -> Array:
    """What a DequantizeLinear's output `y` stands for: the value in front of the pair, within the pair's range."""
    quantize = y.producer().inputs[0].producer()
    scale, zero_point = scale_of(y), int(quantize.inputs[2].const_value.numpy())
    low, high = (float(np.float32(scale) * (end - zero_point)) for end in (0, 255))
    return np.clip(values_of(b, quantize.inputs[0], image), low, high)


def scale_of(x: ir.Value) -> float:
    """The scale of a DequantizeLinear's output."""
    node = x.producer()
    assert node is not None and node.inputs[1] is not None and node.inputs[1].const_value is not None
    return float(node.inputs[1].const_value.numpy().reshape(()))


def weights_and_bias(
    b: Builder, x: ir.Value, array: NDArray[np.float64], *, bias: bool = True, per_channel: bool = True
) -> list[ir.Value]:
    """int8 weights, channels on axis 0, and the int32 bias of a layer that reads `x`."""
    peaks = np.abs(array).max(axis=tuple(range(1, array.ndim))) + 1e-6
    scales = ((peaks if per_channel else peaks.max()[None]) / 127).astype(np.float32)
    spread = scales.reshape(-1, *(1,) * (array.ndim - 1))
    integers = np.clip(np.rint(array / spread), -127, 127)
    if not per_channel:
        scales = scales.reshape(())
    result = [b.op("DequantizeLinear", b.const(integers, np.int8), b.const(scales), axis=0)]
    if bias:
        steps = np.float32(scale_of(x)) * scales
        numbers = np.rint(b.rng.normal(size=len(array)) * 0.1 / steps)
        result.append(b.op("DequantizeLinear", b.const(numbers, np.int32), b.const(steps), axis=0))
    return result


def constant(b: Builder, array: NDArray[np.float64]) -> ir.Value:
    """A constant operand as uint8 behind DequantizeLinear."""
    low, high = min(float(array.min()), 0.0), max(float(array.max()), 1e-3)
    scale = np.float32((high - low) / 255)
    zero_point = round(-low / float(scale))
    integers = np.clip(np.rint(array / scale) + zero_point, 0, 255)
    return b.op("DequantizeLinear", b.const(integers, np.uint8), b.const(scale), b.const(zero_point, np.uint8))
