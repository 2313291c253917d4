"""Weights of a float layer on the finest grid on which its float32 sums are exact, in whatever order they are added.

They are, when every product and partial sum is a multiple of one power of two and stays below 2^24 of it (see `grids`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.quantization.ranges import Observation, farthest, mean_square

LARGEST_SUM = 2**24  # steps; above it, neighbouring float32 numbers are more than one step apart
ROUNDED_BY = 2  # steps that adaptive rounding may move a weight by, at most
WIDEST = 16  # bits of a value, at most, that share a sum with its weights


@dataclass(frozen=True)
class Exact:
    """float32 weight `[C, ...]` and bias `[C]` of a float Conv or Gemm on their grids. scales, steps: float64 `[C]`,
    the power of two that a channel's weights and its bias are multiples of. reach: step of the values that the node
    reads, and the largest of them in steps.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    scales: NDArray[np.float64]
    steps: NDArray[np.float64]
    reach: tuple[float, float]


def exact(weight: NDArray[np.float32], bias: NDArray[np.float32], reach: tuple[float, float]) -> Exact:
    """`weight` `[C, ...]` and `bias` `[C]` on the finest power of two a channel on which all partial sums are exact.

    reach: the step of the values that they meet, and the largest of those in steps.
    """
    step, largest = reach
    flat = np.abs(weight.reshape(len(weight), -1)).astype(np.float64)
    finest = _finest(flat, np.abs(bias), step, largest)
    rounded = on_grid(weight, finest.reshape(-1, *[1] * (weight.ndim - 1)))
    return Exact(rounded, on_grid(bias, finest * step), finest, finest * step, reach)


def balanced(weights: Sequence[NDArray[np.float32]], observation: Observation, kept: float = 1.0) -> float:
    """The step of values with which they and the weights `[C, ...]` of the layers that add them up, which share the
    bits of the sum, add the least noise to it together.

    observation: of the values. kept: what the way in which weights are rounded leaves of their noise.
    """
    reach, power = max(farthest(observation), 2.0**-30), mean_square(observation)
    layers = [np.abs(weight.reshape(len(weight), -1)).astype(np.float64) for weight in weights]
    steps = 2.0 ** (np.ceil(np.log2(reach)) - np.arange(2, WIDEST))

    def noise(step: float) -> float:
        of_weights = (_finest(w, np.zeros(len(w)), step, reach / step) ** 2 * w.shape[1] * power for w in layers)
        of_values = (step**2 * np.square(w).sum(1) for w in layers)
        return float(sum((v + kept * w).mean() for v, w in zip(of_values, of_weights, strict=True)))

    return float(min(steps, key=noise))


def _finest(
    sizes: NDArray[np.float64], biases: NDArray[np.floating], step: float, largest: float
) -> NDArray[np.float64]:
    """The power of two `[C]` for weights of these `sizes` `[C, I]` whose sums stay below LARGEST_SUM."""
    room = max(LARGEST_SUM - ROUNDED_BY * sizes.shape[1] * largest, LARGEST_SUM / 4)
    sums = np.maximum(sizes.sum(1) * largest + biases / step, 2.0**-30)
    return np.asarray(2.0 ** np.ceil(np.log2(sums / room)))


def on_grid(values: NDArray[np.floating], steps: NDArray[np.float64]) -> NDArray[np.float32]:
    """`values` rounded to multiples of `steps`."""
    return np.asarray(np.rint(values.astype(np.float64) / steps) * steps, np.float32)
