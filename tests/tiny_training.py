"""A training small enough for every test: 32 px lesions that are dark or bright, and a network of three layers."""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from melanoma_edge import models
from melanoma_edge.options import TrainOptions
from melanoma_edge.train.given import TrainingData

SIZE = 32


def tiny_network() -> nn.Module:
    """Layout of `meshnet` (stem, norm, classifier) with three small layers, dropout included."""
    torch.manual_seed(3)
    stem = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 8, 3, 4, 1, bias=False), norm=nn.BatchNorm2d(8), relu=nn.ReLU()))
    body = nn.Sequential(OrderedDict(conv=nn.Conv2d(8, 8, 3, 2, 1, bias=False), norm=nn.BatchNorm2d(8), relu=nn.ReLU()))
    features = nn.Sequential(OrderedDict(stem0=stem, body=body, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten()))
    classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 2))
    return nn.Sequential(OrderedDict(features=features, classifier=classifier))


def tiny_data(images: int = 40) -> TrainingData:
    """A quarter melanomas, darker on average than the rest."""
    rng = np.random.default_rng(7)

    def split(count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        labels = (np.arange(count) % 4 == 0).astype(np.int64)
        level = np.where(labels, 90, 150) + rng.normal(0, 25, count)
        noise = rng.normal(0, 30, (count, size, size, 3))
        return np.clip(level[:, None, None, None] + noise, 0, 255).astype(np.uint8), labels

    return TrainingData(*split(images, SIZE + 4), *split(24, SIZE), ("other", "melanoma"), 1)


TINY = TrainOptions(
    epochs=4, lr=1e-3, frozen_epochs=1, batch_size=8, precision="float32", device="cpu", threads=1, workers=0
)
SPEC = models.Spec("meshnet", 2, SIZE, 0.2, "default")
