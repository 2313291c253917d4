"""How much the network's answer depends on each value and weight: squared gradients of the probability.

To first order, noise of variance s^2 on one element moves the probability by s^2 times its squared gradient (the
diagonal Fisher information; as in arXiv:1906.03193 and arXiv:2102.05426, section 3.2). Summed over a layer's elements
this is what rounding them costs, in the one unit that decides. The probability, not the logits: two calibration images
of 200 on which an EfficientNet's logits reached 100 hid what the others needed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.quantization.executor import Program, Step, run


@dataclass(frozen=True)
class Importance:
    """Means over images of squared gradients of the probability: a value's `[C]`, summed over pixels; a weight's."""

    values: Mapping[str, NDArray[np.float64]]
    weights: Mapping[str, NDArray[np.float64]]


def importance(
    program: Program, images: Iterable[Tensor], *, values: Collection[str], weights: Collection[str], seed: int = 0
) -> Importance:
    """Measure over `images`, batches of float32 NCHW taken one image at a time: a weight's gradient is an image's own.

    values, weights: names of step outputs and of constants. See `probability_spread`.
    """
    totals: dict[str, Tensor] = {}
    count = 0
    single = enumerate((image for batch in images for image in torch.split(batch, 1)), seed)
    with side_by_side() as workers:
        for squares in workers.map(partial(_squares, program, values, sorted(weights)), single):
            for name, square in squares.items():
                totals[name] = totals[name].add_(square) if name in totals else square
            count += 1
    means = {name: (total / count).numpy() for name, total in totals.items()}
    by_value = {name: mean for name, mean in means.items() if name in values}
    return Importance(by_value, {name: mean for name, mean in means.items() if name in weights})


def _squares(
    program: Program, values: Collection[str], weights: Sequence[str], numbered: tuple[int, Tensor]
) -> dict[str, Tensor]:
    """Squared gradients of one image's probability, as `Importance` has them. numbered: its seed and the image."""
    seed, image = numbered
    trial = {name: program.constants[name].clone().requires_grad_() for name in weights}
    found: dict[str, Tensor] = {}

    def on_output(_step: Step, name: str, value: Tensor) -> Tensor:
        if name in values:
            found[name] = value if value.requires_grad else value.requires_grad_()
        return value

    with torch.enable_grad():
        logits = run(program, image, constants=trial, on_output=on_output)[program.output]
        wanted = {**found, **trial}
        total = probability_spread(logits, torch.Generator().manual_seed(seed))
        gradients = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
    squares: dict[str, Tensor] = {}
    for name, gradient in zip(wanted, gradients, strict=True):
        if gradient is not None:
            square = gradient.double().square_()
            per_channel = square.flatten(2).sum((0, 2)) if name in found and square.ndim > 2 else square
            squares[name] = per_channel.sum(0) if name in found and square.ndim == 2 else per_channel
    return squares


def probability_spread(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A number per batch whose gradient is, for each image, that of its probabilities.

    Of two classes, the difference of the probabilities; of more, a random signed sum of them for each image, which
    weighs all differences alike. logits: float32 `[N, K]`.
    """
    signs = torch.tensor([[-1.0, 1.0]])
    if logits.shape[1] > 2:
        signs = torch.randint(0, 2, logits.shape, generator=generator or torch.Generator().manual_seed(0)) * 2.0 - 1
    return (logits.softmax(1) * signs).sum()
