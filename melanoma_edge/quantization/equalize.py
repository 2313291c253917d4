"""Cross-layer equalisation (Nagel et al., arXiv:1906.04721, section 4.1), by what it does to the decision.

One scale serves all channels of an activation, so channels of small range are rounded coarsely. Multiplying a channel
in front of a ReLU and dividing it in the weights behind changes nothing in float and everything in 8 bits. The paper
equalises ranges; here each class of channels takes the factors of least expected change of the probability,
activations and weights together (`importance`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.quantization.affine import LEVELS
from melanoma_edge.quantization.channels import ChannelClass, channel_classes, is_scaling, reads
from melanoma_edge.quantization.executor import Batches, Program, Step, run
from melanoma_edge.quantization.importance import Importance
from melanoma_edge.quantization.prepare import array, set_array
from melanoma_edge.quantization.weights import LARGEST

FACTOR_LIMIT = 32.0  # a channel that is almost silent on the calibration images may speak up on others
STEPS, RATE = 60, 0.15  # of the descent, in log factors
BETAS = (0.9, 0.999)  # of Adam (arXiv:1412.6980), in a few lines since torch.optim takes a second to import
WORTHWHILE = 0.9  # cost after by before under which a factor for each channel of a gate is worth its operator
WEIGHT_NOISE = 0.1  # squared error of adaptive rounding (`rounding`) by that of rounding to nearest, measured


@dataclass(frozen=True)
class Extremes:
    """Lowest and highest value `[C]` of each channel over the calibration images."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def channel_extremes(program: Program, batches: Batches, names: Collection[str]) -> dict[str, Extremes]:
    """Extremes of the values in `names`, by channel (axis 1)."""

    def look(batch: Tensor) -> dict[str, Extremes]:
        seen: dict[str, Extremes] = {}

        def on_output(_step: Step, name: str, value: Tensor) -> Tensor:
            if name in names:
                others = [axis for axis in range(value.ndim) if axis != 1]
                seen[name] = Extremes(value.amin(others).double().numpy(), value.amax(others).double().numpy())
            return value

        with torch.inference_mode():
            run(program, batch, on_output=on_output)
        return seen

    found: dict[str, Extremes] = {}
    with side_by_side() as workers:
        for seen in workers.map(look, batches):
            for name, one in seen.items():
                before = found.get(name, one)
                found[name] = Extremes(np.minimum(before.low, one.low), np.maximum(before.high, one.high))
    return found


def equalize(
    model: ir.Model, extremes: Mapping[str, Extremes], weight: Importance, quantized: Collection[str]
) -> dict[str, float]:
    """Rescale channels in place; the float function stays, on every image that reaches no Clip bound which the
    calibration images do not reach.

    model: as `prepare` returns it. extremes: of every value of every class. quantized: values that will be 8 bits.
    Returns, by the class's first value, the expected change of the probability (squared) after by before.
    """
    gains = {}
    for group in channel_classes(model.graph):
        cost = _cost(group, extremes, weight, quantized)
        if cost is None:
            continue
        factors, gain = _best(group, cost, extremes)
        if is_scaling(group.makers[0]):
            factors = _as_integers(factors) if gain < WORTHWHILE else np.ones_like(factors)
        for node in group.makers:
            _scale_rows(node, factors)
        for node in group.readers:
            _divide_columns(node, factors)
        gains[group.values[0]] = gain
    return gains


@dataclass(frozen=True)
class _Cost:
    """Everything the expected change of the probability depends on, for one class: see `_evaluate`."""

    lows: Tensor  # [values, C]
    highs: Tensor
    values: Tensor  # importance
    weights: list[tuple[Tensor, Tensor, Tensor]]  # per reader: largest |w| [O, I], importance [O, I], channels [O, I]


def _cost(
    group: ChannelClass, extremes: Mapping[str, Extremes], weight: Importance, quantized: Collection[str]
) -> _Cost | None:
    names = [name for name in group.values if name in quantized and name in weight.values]
    if not names:
        return None
    readers = []
    for node in group.readers:
        name, data = str(node.inputs[1].name) if node.inputs[1] else "", array(node.inputs[1])
        if name in weight.weights:
            flat = np.abs(data).reshape(*data.shape[:2], -1).max(2).astype(np.float64)
            total = weight.weights[name].reshape(*data.shape[:2], -1).sum(2)
            readers.append((torch.from_numpy(flat), torch.from_numpy(total), torch.from_numpy(reads(node))))
    return _Cost(
        torch.tensor(np.stack([np.minimum(extremes[name].low, 0) for name in names])),
        torch.tensor(np.stack([np.maximum(extremes[name].high, 0) for name in names])),
        torch.tensor(np.stack([weight.values[name] for name in names])),
        readers,
    )


def _evaluate(cost: _Cost, logs: Tensor) -> Tensor:
    """Expected squared change of the probability `[S]` by rounding this class and its readers, when channel c is
    multiplied by exp(logs[s, c]). Rounding to a step d adds noise of variance d^2 / 12."""
    factors = logs.exp()
    each = factors[:, None]  # [S, 1, C]
    steps = ((cost.highs * each).amax(2) - (cost.lows * each).amin(2)) / LEVELS
    total = (steps.square() / 12 * (cost.values / each.square()).sum(2)).sum(1)
    for largest, importance, channels in cost.weights:
        full = channels.shape[1] == factors.shape[1]
        read = each if full else factors[:, channels]  # [S, O, I]
        first = (largest / read.detach()).argmax(2)  # [S, O]; the gradient is that of the largest alone
        rows = torch.arange(len(largest))
        steps = largest[rows, first] / factors.gather(1, channels[rows, first]) / LARGEST
        squares = factors.square() @ importance.T if full else (importance * read.square()).sum(2)
        total = total + WEIGHT_NOISE * (steps.square() / 12 * squares).sum(1)
    return total


def _best(group: ChannelClass, cost: _Cost, extremes: Mapping[str, Extremes]) -> tuple[NDArray[np.float64], float]:
    """Factors `[C]` of least cost, from several starts, and their cost relative to no factors."""
    limit = np.log(FACTOR_LIMIT)
    upper = torch.full((group.channels,), limit, dtype=torch.float64)
    lower = -upper
    for name, cap in group.caps.items():
        reached = torch.from_numpy(np.maximum(np.minimum(extremes[name].high, cap), cap / FACTOR_LIMIT))
        upper = torch.minimum(upper, (cap / reached).log().clamp(0))
        lower = torch.where(reached >= cap * (1 - 1e-6), 0.0, lower)
    sizes = torch.maximum(cost.highs, -cost.lows).amax(0)
    level = (sizes.max() / sizes.clamp(min=float(sizes.max()) / FACTOR_LIMIT + 1e-30)).log()
    starts = torch.stack([torch.zeros_like(upper), (level / 2).clamp(lower, upper), level.clamp(lower, upper)])
    before = float(_evaluate(cost, starts[:1]))
    after, logs = _descend(cost, starts, lower, upper)
    return logs.exp().numpy(), after / before if before > 0 else 1.0


def _descend(cost: _Cost, starts: Tensor, lower: Tensor, upper: Tensor) -> tuple[float, Tensor]:
    """The best point `[C]` of projected Adam descents from `starts` `[S, C]`, never worse than they."""
    logs, mean, square = starts, torch.zeros_like(starts), torch.zeros_like(starts)
    best, points = torch.full((len(starts),), torch.inf, dtype=torch.float64), starts
    for step in range(STEPS):
        trial = logs.clone().requires_grad_()
        losses = _evaluate(cost, trial)
        better = losses.detach() < best
        best = torch.where(better, losses.detach(), best)
        points = torch.where(better[:, None], logs, points)
        (slope,) = torch.autograd.grad(losses.clamp(min=1e-300).log().sum(), trial)
        mean = mean.lerp(slope, 1 - BETAS[0])
        square = square.lerp(slope.square(), 1 - BETAS[1])
        size = (square / (1 - BETAS[1] ** (step + 1))).sqrt() * (1 - BETAS[0] ** (step + 1))
        logs = (logs - RATE * (1 - step / STEPS) * mean / (size + 1e-8)).clamp(lower, upper)
    first = int(best.argmin())
    return float(best[first]), points[first]


def _as_integers(factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors that the uint8 constant of a Mul holds exactly; a common factor has no effect."""
    return np.asarray(np.maximum(np.rint(factors / factors.max() * LEVELS), 1) / LEVELS)


def _scale_rows(node: ir.Node, factors: NDArray[np.float64]) -> None:
    if is_scaling(node):
        set_array(node.inputs[1], array(node.inputs[1]) * factors.reshape(1, -1, 1, 1))
        return
    weight = array(node.inputs[1])
    set_array(node.inputs[1], weight * factors.reshape(-1, *[1] * (weight.ndim - 1)))
    set_array(node.inputs[2], array(node.inputs[2]) * factors)


def _divide_columns(node: ir.Node, factors: NDArray[np.float64]) -> None:
    weight = array(node.inputs[1])
    divisor = factors[reads(node)]
    set_array(node.inputs[1], weight / divisor.reshape(*divisor.shape, *[1] * (weight.ndim - 2)))
