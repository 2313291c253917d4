"""MobileNetV3-Small 1.0: hard-swish and squeeze-excite (Howard et al., arXiv:1905.02244)."""

from torch import nn
from torchvision import models

from melanoma_edge.models import Defaults, Layout, Pretrained
from melanoma_edge.models._imagenet import download, linear_head

FEATURES = 576  # channels after the global pooling
DEFAULTS = Defaults(image_size=224, dropout=0.2)
LAYOUT = Layout(stem="features.0.0", norm="features.0.1", head="classifier")


def build(num_classes: int, *, dropout: float, head: str) -> nn.Module:
    """torchvision's network with random weights."""
    model: nn.Module = models.mobilenet_v3_small(num_classes=num_classes, dropout=dropout)
    if head == "linear":
        model.classifier = linear_head(FEATURES, num_classes, dropout)
    return model


def pretrained() -> Pretrained:
    """torchvision's IMAGENET1K_V1 weights. Raises InputError when they cannot be downloaded."""
    return download(models.MobileNet_V3_Small_Weights.IMAGENET1K_V1.url)
