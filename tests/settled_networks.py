"""Random backbones that behave like trained ones, and images that do not average to nothing in them."""

import functools
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from melanoma_edge import models
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export.onnx import export_onnx

SIZE = 96
IMAGES = 12


def blurred_noise() -> NDArray[np.uint8]:
    """Coloured patches of the size of a lesion: white noise averages to nothing in a deep network."""
    coarse = np.random.default_rng(0).integers(0, 256, (IMAGES, SIZE // 12, SIZE // 12, 3), np.uint8)
    return coarse.repeat(12, 1).repeat(12, 2)


@functools.cache
def exported(arch: str) -> tuple[nn.Module, bytes]:
    """The network, settled on `blurred_noise`, and its ONNX file: made once, so change neither."""
    images = normalize(blurred_noise(), Preprocessing(SIZE)).transpose(0, 3, 1, 2)
    network = settled(arch, np.ascontiguousarray(images))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(network, SIZE, path)
        return network, path.read_bytes()


def settled(arch: str, images: NDArray[np.float32]) -> nn.Module:
    """A random network whose batch norms have the statistics of the images, as after a training."""
    torch.manual_seed(0)
    network = models.create(arch, 2).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train().momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    with torch.no_grad():
        network(torch.from_numpy(images))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.clamp_(min=0.01)  # a dozen images leave channels that hardly vary
    return network.eval()
