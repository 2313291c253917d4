"""EfficientNet-Lite0: EfficientNet-B0 for integer hardware, with ReLU6 and without squeeze-excite (timm's port)."""

import timm
from torch import nn

from melanoma_edge.models import Defaults, Layout, Pretrained
from melanoma_edge.models._imagenet import download

NAME = "tf_efficientnet_lite0"
DEFAULTS = Defaults(image_size=224, dropout=0.2)
LAYOUT = Layout(stem="conv_stem", norm="bn1", head="classifier")


def build(num_classes: int, *, dropout: float, head: str) -> nn.Module:
    """timm's network with random weights and TensorFlow's padding. Its own head is already the linear one."""
    model: nn.Module = timm.create_model(NAME, pretrained=False, num_classes=num_classes, drop_rate=dropout)
    return model


def pretrained() -> Pretrained:
    """timm's port of Google's weights. Raises InputError when they cannot be downloaded."""
    config = timm.get_pretrained_cfg(NAME)
    mean, std = (tuple(255 * value for value in values) for values in (config.mean, config.std))
    return download(config.url, mean, std)
