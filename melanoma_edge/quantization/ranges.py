"""Ranges of activations from calibration images, in memory that does not grow with their number."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.affine import LEVELS, Affine, from_range
from melanoma_edge.quantization.executor import Batches, Program, Step, run
from melanoma_edge.quantization.importance import probability_spread

METHODS = ("minmax", "percentile", "mse", "fisher")
SHIFT = 18  # a float32 without its lowest 18 bits: the sign, the exponent and 32 bins an octave
BINS = 1 << (32 - SHIFT)
PERCENTILE = 99.99
AT_ONCE = 2**18  # values that are counted together: they stay in the processor's cache
CANDIDATES: NDArray[np.float64] = 2.0 ** -(
    np.arange(120) / 10
)  # clipping points tried at each end, relative to the farthest value


Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Observation:
    """Extremes of a tensor over the calibration images and its histogram over the bins of `centres`.

    counts: int64 `[BINS]`. importance: float64 `[BINS]`, sum of the squared gradients of the values in each bin, zero
    when they were not asked for.
    """

    low: float
    high: float
    counts: NDArray[np.int64]
    importance: NDArray[np.float64]


def observe(
    program: Program, batches: Batches, names: Collection[str], *, gradients: bool, progress: Progress = silent
) -> dict[str, Observation]:
    """One Observation for each value in `names`. Raises InputError when a value is not finite."""
    found: dict[str, Observation] = {}
    with side_by_side() as workers:
        for done, seen in enumerate(workers.map(partial(_look, program, names, gradients), batches), 1):
            for name, one in seen.items():
                if not np.isfinite(one.high - one.low):
                    raise InputError(
                        f"the network computes {one.low} to {one.high} in {name!r} on a calibration image: not finite"
                    )
                found[name] = merge([found[name], one]) if name in found else one
            progress("ranges", done, len(batches))
    return found


def observation(value: Tensor, gradient: Tensor | None = None) -> Observation:
    """What a float32 tensor shows; gradient: of the same shape."""
    flat = _flat(value)
    low, high = (float(v) for v in flat.aminmax())  # of other than contiguous tensors it takes twenty times as long
    counts, weight = torch.zeros(BINS, dtype=torch.int64), torch.zeros(BINS, dtype=torch.float64)
    slopes = () if gradient is None else torch.split(_flat(gradient), AT_ONCE)
    for part, slope in zip_longest(torch.split(flat, AT_ONCE), slopes):
        bins = bin_of(part)
        counts += torch.bincount(bins, minlength=BINS)
        if slope is not None:
            weight += torch.bincount(bins, slope.double().square_(), BINS)
    return Observation(low, high, counts.numpy(), weight.numpy())


def _flat(value: Tensor) -> Tensor:
    """All elements, channels last, as convolutions leave them in memory: mostly no copy."""
    return (value.movedim(1, -1) if value.ndim > 1 else value).reshape(-1)


def merge(observations: Sequence[Observation]) -> Observation:
    """The observation of several tensors taken as one."""
    first, *others = observations
    return Observation(
        low=min(seen.low for seen in observations),
        high=max(seen.high for seen in observations),
        counts=sum((seen.counts for seen in others), first.counts),
        importance=sum((seen.importance for seen in others), first.importance),
    )


def bin_of(values: Tensor) -> Tensor:
    """The bin `[N]` of each float32 value `[N]`."""
    return (values.contiguous().view(torch.int32) >> SHIFT) & (BINS - 1)


def centres() -> NDArray[np.float64]:
    """The middle of each bin; not finite where float32 is not."""
    first = np.arange(BINS, dtype=np.uint32) << SHIFT
    middle = first + np.uint32(1 << (SHIFT - 1))
    with np.errstate(invalid="ignore"):
        return np.asarray(middle.view(np.float32), np.float64)


def farthest(observation: Observation) -> float:
    """The largest magnitude seen."""
    return max(abs(observation.low), abs(observation.high))


def mean_square(observation: Observation) -> float:
    """Mean of the squares of the values seen."""
    middle, counts = _filled(observation.counts)
    return float(counts @ middle**2 / max(counts.sum(), 1.0))


def choose(observation: Observation, method: str) -> Affine:
    """uint8 parameters for an observed tensor.

    minmax: all of it. percentile: leaves out (100 - PERCENTILE) % of the values at either end. mse: least expected
    squared error of rounding and clipping together. fisher: the same, each error weighted by the squared gradient of
    the network's probability there; an outlier on an image that is decided anyway then stretches no range. Raises
    InputError for an unknown method.
    """
    if method not in METHODS:
        raise InputError(f"unknown range method {method!r}: known are {', '.join(METHODS)}")
    if method == "minmax":
        return from_range(observation.low, observation.high)
    if method == "percentile":
        return from_range(*_percentile(observation))
    return from_range(*_least_squares(observation, _histogram(observation, method)))


def _histogram(observation: Observation, method: str) -> NDArray[Any]:
    """What errors are weighted by: how often each value was seen, or how much it matters."""
    weighted = method == "fisher" and observation.importance.any()
    return observation.importance if weighted else observation.counts


def _look(program: Program, names: Collection[str], gradients: bool, batch: Tensor) -> dict[str, Observation]:
    """The observation of every wanted value of a batch, with its gradient when wanted."""
    values: dict[str, Tensor] = {}
    seen: dict[str, Observation] = {}

    def on_output(_step: Step, name: str, value: Tensor) -> Tensor:
        if name in names and gradients:
            values[name] = value if value.requires_grad else value.requires_grad_()
        elif name in names:
            seen[name] = observation(value)
        return value

    if program.image in names:
        seen[program.image] = observation(batch)
    with torch.set_grad_enabled(gradients):
        logits = run(program, batch, on_output=on_output)[program.output]
        if not values:
            return seen
        slopes = torch.autograd.grad(probability_spread(logits), list(values.values()), allow_unused=True)
    with torch.inference_mode():
        told = zip(values.items(), slopes, strict=True)
        return seen | {name: observation(value.detach(), slope) for (name, value), slope in told}


def _percentile(observation: Observation) -> tuple[float, float]:
    middle, counts = _filled(observation.counts)
    share = np.cumsum(counts) / counts.sum()
    tail = 1 - PERCENTILE / 100
    first, last = int(np.searchsorted(share, tail, "right")), int(np.searchsorted(share, 1 - tail, "left"))
    return max(observation.low, float(middle[first])), min(observation.high, float(middle[min(last, len(middle) - 1)]))


def _least_squares(observation: Observation, histogram: NDArray[Any]) -> tuple[float, float]:
    """The clipping range of least expected error: step^2 / 12 inside (or the value itself, where that is smaller),
    squared distance outside."""
    middle, weights = _filled(histogram)
    weights /= weights.sum()
    highs = observation.high * CANDIDATES if observation.high > 0 else np.zeros(1)
    lows = observation.low * CANDIDATES if observation.low < 0 else np.zeros(1)
    above = np.square(np.maximum(middle - highs[:, None], 0)) @ weights
    below = np.square(np.maximum(lows[:, None] - middle, 0)) @ weights
    rounding = _rounding(middle, weights, (highs[None, :] - lows[:, None]) / LEVELS)
    low, high = np.unravel_index(np.argmin(below[:, None] + above[None, :] + rounding), rounding.shape)
    return float(lows[low]), float(highs[high])


def _rounding(middle: Reals, weights: Reals, steps: Reals) -> Reals:
    """Expected squared error of rounding to each of `steps`: of values below step / sqrt(12), all of them."""
    order = np.argsort(np.abs(middle))
    size, weight = np.abs(middle)[order], weights[order]
    small = np.concatenate([[0.0], np.cumsum(weight * size**2)])
    count = np.concatenate([[0.0], np.cumsum(weight)])
    at = np.searchsorted(size, steps / np.sqrt(12))
    return np.asarray(small[at] + (count[-1] - count[at]) * steps**2 / 12)


def _filled(histogram: NDArray[Any]) -> tuple[Reals, Reals]:
    """Middles, in ascending order, and contents of the bins that hold anything."""
    middle = centres()
    kept = np.flatnonzero((histogram > 0) & np.isfinite(middle))
    kept = kept[np.argsort(middle[kept])]
    return middle[kept], histogram[kept].astype(np.float64)
