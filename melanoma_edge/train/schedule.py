"""What is trained in which epoch, and at which learning rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

SCHEDULES = ("one-cycle", "plateau")
RISE, START = 0.2, 0.04  # of a cycle's batches; of its peak rate


@dataclass(frozen=True)
class Phase:
    """Consecutive epochs `start` to `stop - 1` with one optimizer. `frozen`: only the head learns."""

    name: str
    start: int
    stop: int
    lr: float
    frozen: bool


def phases(epochs: int, frozen_epochs: int, lr: float, frozen_lr: float) -> tuple[Phase, ...]:
    """The head alone for `frozen_epochs`, then everything at the lower rate, `epochs` in all."""
    frozen = Phase("frozen", 0, frozen_epochs, frozen_lr, True)
    full = Phase("full", frozen_epochs, epochs, lr, False)
    return tuple(phase for phase in (frozen, full) if phase.start < phase.stop)


def set_trainable(model: nn.Module, head: str, frozen: bool) -> None:
    """Let gradients reach the parameters below `head` only, or all; put the network in training mode accordingly.

    Frozen batch norms stay in eval mode: their running statistics belong to the weights they were trained with.
    """
    for parameter in model.parameters():
        parameter.requires_grad_(not frozen)
    model.train(not frozen)
    if frozen:
        for parameter in model.get_submodule(head).parameters():
            parameter.requires_grad_(True)
        model.get_submodule(head).train()


def optimizer(model: nn.Module, lr: float, weight_decay: float) -> AdamW:
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101) over what is trainable; norms and biases do not decay."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trainable if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trainable if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=lr)


def scheduler(kind: str, adamw: AdamW, steps: int) -> LRScheduler:
    """One cycle over `steps` batches, or a third of the rate whenever the AUC stops rising; the peak is `adamw`'s."""
    if kind == "one-cycle":
        return LambdaLR(adamw, lambda step: one_cycle(step, steps))
    return ReduceLROnPlateau(adamw, mode="max", factor=1 / 3, patience=1)


def one_cycle(step: int, steps: int) -> float:
    """Share of the peak rate in batch `step` of `steps`: cosine up from a 25th over a fifth of them, cosine down to 0.

    Smith and Topin, arXiv:1708.07120. torch's OneCycleLR divides by zero when the rise is a single batch long.
    """
    rise = max(1, round(RISE * steps))
    if step < rise:
        return START + (1 - START) * (1 - math.cos(math.pi * step / rise)) / 2
    return (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2


def stagnant(aucs: Sequence[float], patience: int) -> bool:
    """Whether `patience` values or more came after the best one."""
    return bool(aucs) and len(aucs) - 1 - aucs.index(max(aucs)) >= patience
