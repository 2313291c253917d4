"""How much the network's answer depends on each value and weight: squared gradients of the probability.

To first order, noise of variance s^2 on one element moves the probability by s^2 times its squared gradient (the
diagonal Fisher information; as in arXiv:1906.03193 and arXiv:2102.05426, section 3.2). Summed over a layer's elements
this is what rounding them costs, in the one unit that decides. The probability, not the logits: two calibration images
of 200 on which an EfficientNet's logits reached 100 hid what the others needed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.quantize.executor import Program, Step, run


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
    generator = torch.Generator().manual_seed(seed)
    trial = {name: program.constants[name].clone().requires_grad_() for name in sorted(weights)}
    totals: dict[str, Tensor] = {}
    count = 0
    for image in (batch[i : i + 1] for batch in images for i in range(len(batch))):
        found: dict[str, Tensor] = {}

        def on_output(step: Step, name: str, value: Tensor, found: dict[str, Tensor] = found) -> Tensor:
            if name in values:
                found[name] = value if value.requires_grad else value.requires_grad_()
            return value

        total = probability_spread(run(program, image, constants=trial, on_output=on_output)[program.output], generator)
        wanted = {**found, **trial}
        gradients = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
        for name, gradient in zip(wanted, gradients, strict=True):
            if gradient is not None:
                square = gradient.double().square()
                per_channel = square.flatten(2).sum((0, 2)) if name in found and square.ndim > 2 else square
                per_channel = per_channel.sum(0) if name in found and square.ndim == 2 else per_channel
                totals[name] = totals.get(name, torch.zeros_like(per_channel)) + per_channel
        count += 1
    means = {name: (total / count).numpy() for name, total in totals.items()}
    return Importance({k: v for k, v in means.items() if k in values}, {k: v for k, v in means.items() if k in trial})


def probability_spread(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A number per batch whose gradient is, for each image, that of its probabilities.

    Of two classes, the difference of the probabilities; of more, a random signed sum of them for each image, which
    weighs all differences alike. logits: float32 `[N, K]`.
    """
    signs = torch.tensor([[-1.0, 1.0]])
    if logits.shape[1] > 2:
        signs = torch.randint(0, 2, logits.shape, generator=generator or torch.Generator().manual_seed(0)) * 2.0 - 1
    return (logits.softmax(1) * signs).sum()
