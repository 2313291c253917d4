"""Ranges of activations from calibration images, in memory that does not grow with their number."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantize.affine import LEVELS, Affine, from_range
from melanoma_edge.quantize.executor import Program, Step, run

METHODS = ("minmax", "percentile", "mse")
BINS = 4096
PERCENTILE = 99.99
CANDIDATES = 128  # clipping points tried at each end by "mse"
NARROWEST = BINS * float(np.finfo(np.float32).tiny)  # below, the edges of the bins are no longer distinct numbers


class Batches(Protocol):
    """Normalised NCHW batches that can be gone through more than once."""

    def __len__(self) -> int:
        """Number of batches."""

    def __iter__(self) -> Iterator[Tensor]:
        """The batches in order."""


@dataclass(frozen=True)
class Observation:
    """Extremes of a tensor over the calibration images and its histogram: int64 `[BINS]`, equal bins low to high."""

    low: float
    high: float
    counts: NDArray[np.int64]


def observe(
    program: Program, batches: Batches, names: Collection[str], *, histograms: bool, progress: Progress = silent
) -> dict[str, Observation]:
    """One Observation for each value in `names`.

    Goes through the batches twice when histograms are wanted. Raises InputError when
    a value is not finite.
    """
    extremes = _extremes(program, batches, names, progress)
    counts = {name: np.zeros(BINS, np.int64) for name in extremes}
    if histograms:
        _count(program, batches, extremes, counts, progress)
    return {name: Observation(*extremes[name], counts[name]) for name in extremes}


def merge(observations: Sequence[Observation]) -> Observation:
    """The observation of several tensors taken as one, to the width of a bin."""
    if len(observations) == 1:
        return observations[0]
    low, high = min(o.low for o in observations), max(o.high for o in observations)
    counts = np.zeros(BINS, np.int64)
    for each in observations if high - low > NARROWEST else ():
        counts += np.histogram(_centres(each), BINS, (low, high), weights=each.counts)[0].astype(np.int64)
    return Observation(low, high, counts)


def choose(observation: Observation, method: str) -> Affine:
    """uint8 parameters for an observed tensor.

    minmax: all of it. percentile: leaves out (100 - PERCENTILE) % of the values at either end. mse: least expected
    squared error of rounding and clipping together. Raises InputError for an unknown method.
    """
    if method not in METHODS:
        raise InputError(f"unknown range method {method!r}: known are {', '.join(METHODS)}")
    if method == "minmax" or not observation.counts.any():
        return from_range(observation.low, observation.high)
    return from_range(*(_percentile(observation) if method == "percentile" else _least_squares(observation)))


def _percentile(observation: Observation) -> tuple[float, float]:
    edges = np.linspace(observation.low, observation.high, BINS + 1)
    share = np.cumsum(observation.counts) / observation.counts.sum()
    tail = 1 - PERCENTILE / 100
    first, last = int(np.searchsorted(share, tail, "right")), int(np.searchsorted(share, 1 - tail, "left"))
    return float(edges[min(first, BINS - 1)]), float(edges[min(last, BINS - 1) + 1])


def _least_squares(observation: Observation) -> tuple[float, float]:
    """The clipping range of least expected error: step^2 / 12 inside, squared distance outside."""
    centres = _centres(observation)
    weights = observation.counts / observation.counts.sum()
    shrink = np.linspace(1, 1 / CANDIDATES, CANDIDATES)
    highs = max(observation.high, 0.0) * shrink if observation.high > 0 else np.zeros(1)
    lows = min(observation.low, 0.0) * shrink if observation.low < 0 else np.zeros(1)
    above = np.array([weights @ np.maximum(centres - high, 0) ** 2 for high in highs])
    below = np.array([weights @ np.maximum(low - centres, 0) ** 2 for low in lows])
    rounding = (highs[None, :] - lows[:, None]) ** 2 / LEVELS**2 / 12
    low, high = np.unravel_index(np.argmin(below[:, None] + above[None, :] + rounding), rounding.shape)
    return float(lows[low]), float(highs[high])


def _centres(observation: Observation) -> NDArray[np.float64]:
    edges = np.linspace(observation.low, observation.high, BINS + 1)
    return (edges[:-1] + edges[1:]) / 2


def _extremes(
    program: Program, batches: Batches, names: Collection[str], progress: Progress
) -> dict[str, tuple[float, float]]:
    extremes: dict[str, tuple[float, float]] = {}

    def look(name: str, value: Tensor) -> None:
        low, high = (float(v) for v in value.aminmax())
        if not np.isfinite(high - low):
            raise InputError(f"the network computes {low} to {high} in {name!r} on a calibration image: not finite")
        before = extremes.get(name, (low, high))
        extremes[name] = (min(before[0], low), max(before[1], high))

    _visit(program, batches, names, look, progress, "ranges")
    return extremes


def _count(
    program: Program,
    batches: Batches,
    extremes: Mapping[str, tuple[float, float]],
    counts: dict[str, NDArray[np.int64]],
    progress: Progress,
) -> None:
    def look(name: str, value: Tensor) -> None:
        low, high = extremes[name]
        if high - low > NARROWEST:
            counts[name] += torch.histc(value, BINS, low, high).numpy().astype(np.int64)

    _visit(program, batches, extremes, look, progress, "histograms")


def _visit(
    program: Program,
    batches: Batches,
    names: Collection[str],
    look: Callable[[str, Tensor], None],
    progress: Progress,
    task: str,
) -> None:
    def on_output(step: Step, name: str, value: Tensor) -> Tensor:
        if name in names:
            look(name, value)
        return value

    with torch.inference_mode():
        for done, batch in enumerate(batches, 1):
            if program.image in names:
                look(program.image, batch)
            run(program, batch, on_output=on_output)
            progress(task, done, len(batches))
