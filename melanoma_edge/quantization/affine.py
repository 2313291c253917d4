"""Affine uint8 quantisation of one tensor: real = scale * (integer - zero_point)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = 255  # of uint8, from 0
SMALLEST_SCALE = float(np.float32(2.0**-40))  # far above denormals, also after multiplying two of them


@dataclass(frozen=True)
class Affine:
    """Per-tensor parameters of a uint8 tensor. `scale` is a float32 value; int8 is the same with zero_point - 128."""

    scale: float
    zero_point: int

    @property
    def low(self) -> float:
        """The real value of integer 0."""
        return -self.zero_point * self.scale

    @property
    def high(self) -> float:
        """The real value of integer 255."""
        return (LEVELS - self.zero_point) * self.scale


SIGMOID = Affine(1 / 256, 0)  # the scale that TFLite fixes for LOGISTIC


def from_range(low: float, high: float) -> Affine:
    """The finest parameters whose range holds [low, high] and 0, of which 0 exactly (to half a step at the ends).

    A constant zero gives scale 1/256. Raises ValueError when a bound is not finite.
    """
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if not np.isfinite(high - low):
        raise ValueError(f"a range must be finite, found [{low}, {high}]")
    if low == high:
        return SIGMOID
    scale = max(float(np.float32((high - low) / LEVELS)), SMALLEST_SCALE)
    return Affine(scale, int(np.clip(np.rint(-low / scale), 0, LEVELS)))


def saturates_at(affine: Affine, low: float, high: float) -> bool:
    """Whether quantizing already clips to [low, high], so that a Clip or Relu before it changes no integer."""
    below = np.rint(low / affine.scale) + affine.zero_point <= 0
    above = np.rint(high / affine.scale) + affine.zero_point >= LEVELS
    return bool(below and above)


def quantize_array(values: NDArray[np.floating], affine: Affine) -> NDArray[np.uint8]:
    """Integers of `values`, rounded half to even and saturated, as ONNX QuantizeLinear defines them."""
    integers = np.rint(np.asarray(values, np.float32) / np.float32(affine.scale)) + affine.zero_point
    return np.asarray(np.clip(integers, 0, LEVELS), np.uint8)
