"""The moving average of a network's weights, which generalises better than the weights of any one step.

Polyak and Juditsky, 1992; with the decay rising from the start as in TensorFlow's ExponentialMovingAverage, so that the
random head of the first steps is soon forgotten.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_of(model: nn.Module, decay: float) -> AveragedModel:
    """A second network that `update_parameters(model)` draws towards `model`; batch norm's statistics come along.

    decay: share of the average that stays in one update, from 0 (the model itself) to below 1.
    """

    def draw(averages: Any, values: Any, updates: Tensor | int) -> None:
        kept = min(decay, (1 + int(updates)) / (10 + int(updates)))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(list(averages), list(values), 1 - kept)
            return
        for average, value in zip(averages, values, strict=True):  # batch norm's counter
            average.copy_(value)

    return AveragedModel(model, multi_avg_fn=draw, use_buffers=True)
