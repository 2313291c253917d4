"""EfficientNet-B0: compound scaling, swish and squeeze-excite (Tan and Le, arXiv:1905.11946)."""

from torch import nn
from torchvision import models

from melanoma_edge.models import Defaults, Layout, Pretrained
from melanoma_edge.models._imagenet import download

DEFAULTS = Defaults(image_size=224, dropout=0.2)
LAYOUT = Layout(stem="features.0.0", norm="features.0.1", head="classifier")


def build(num_classes: int, *, dropout: float, head: str) -> nn.Module:
    """torchvision's network with random weights. Its own head is already the linear one."""
    model: nn.Module = models.efficientnet_b0(num_classes=num_classes, dropout=dropout)
    return model


def pretrained() -> Pretrained:
    """torchvision's IMAGENET1K_V1 weights. Raises InputError when they cannot be downloaded."""
    return download(models.EfficientNet_B0_Weights.IMAGENET1K_V1.url)
