"""MobileNetV2 1.0: inverted residuals with linear bottlenecks (Sandler et al., arXiv:1801.04381)."""

from torch import nn
from torchvision import models

from melanoma_edge.models import Defaults, Layout, Pretrained
from melanoma_edge.models._imagenet import download

DEFAULTS = Defaults(image_size=224, dropout=0.2)
LAYOUT = Layout(stem="features.0.0", norm="features.0.1", head="classifier")


def build(num_classes: int, *, dropout: float, head: str) -> nn.Module:
    """torchvision's network with random weights. Its own head is already the linear one."""
    model: nn.Module = models.mobilenet_v2(num_classes=num_classes, dropout=dropout)
    return model


def pretrained() -> Pretrained:
    """torchvision's IMAGENET1K_V2 weights. Raises InputError when they cannot be downloaded."""
    return download(models.MobileNet_V2_Weights.IMAGENET1K_V2.url)
