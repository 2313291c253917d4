"""Per-channel symmetric int8 weights and int32 biases of one Conv or Gemm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.operators.conv import RATIO
from melanoma_edge.quantization.affine import SMALLEST_SCALE

LARGEST = 127  # -128 is left out: the range is symmetric
BIAS_LIMIT = 2**30  # half of int32, the rest is for the sum of products


@dataclass(frozen=True)
class Weights:
    """values int8 `[C, ...]`, scales float32 `[C]`, bias int32 `[C]` of scale input_scale * scales."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.int32]


def quantize_weights(
    weight: NDArray[np.float32], bias: NDArray[np.float32], input_scale: float, output_scale: float
) -> Weights:
    """Round a weight `[C, ...]` and bias `[C]` to nearest, per output channel."""
    scales = weight_scales(weight, bias, input_scale, output_scale)
    values = np.clip(np.rint(weight / _per_channel(scales, weight)), -LARGEST, LARGEST).astype(np.int8)
    return Weights(values, scales, quantize_bias(bias, input_scale, scales))


def weight_scales(
    weight: NDArray[np.float32], bias: NDArray[np.float32], input_scale: float, output_scale: float
) -> NDArray[np.float32]:
    """max |w| / 127 per channel, raised where that would be 0 or denormal (a dead channel), would overflow the int32
    bias, or would fall below the requantisation scale that XNNPACK takes."""
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1).astype(np.float64)
    floor = max(SMALLEST_SCALE, RATIO[0] * output_scale / input_scale)
    for_bias = np.abs(bias.astype(np.float64)) / (input_scale * BIAS_LIMIT)
    return np.asarray(np.maximum(np.maximum(largest / LARGEST, for_bias), floor), np.float32)


def quantize_bias(bias: NDArray[np.floating], input_scale: float, scales: NDArray[np.float32]) -> NDArray[np.int32]:
    """`bias` in units of input_scale * scales, rounded to nearest and saturated."""
    integers = np.rint(bias.astype(np.float64) / bias_scales(input_scale, scales))
    return np.clip(integers, -(2**31), 2**31 - 1).astype(np.int32)


def bias_scales(input_scale: float, scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 `[C]`, as both runtimes compute it."""
    return np.float32(input_scale) * scales


def dequantize(weights: Weights, input_scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The float32 weight and bias that the integers stand for."""
    weight = weights.values.astype(np.float32) * _per_channel(weights.scales, weights.values)
    return weight, (weights.bias * bias_scales(input_scale, weights.scales).astype(np.float64)).astype(np.float32)


def _per_channel(scales: NDArray[np.float32], weight: NDArray[np.generic]) -> NDArray[np.float32]:
    return scales.reshape(-1, *[1] * (weight.ndim - 1))
