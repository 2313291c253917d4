"""A 2-D MeshNet: a strided stem, then dilated 3x3 convolutions at constant width and resolution.

MeshNet (Fedorov et al., arXiv:1612.00940) keeps full resolution and widens the view by dilation alone; the stem of
stride 4 divides its multiply-adds by 16, which is what makes it fit a phone.
"""

from collections import OrderedDict

from torch import Tensor, nn

from melanoma_edge.models import Defaults, Layout

STEM = (24, 32)  # channels of the two strided convolutions
DILATIONS = (1, 2, 4, 8, 16, 8, 4, 2, 1)
DEFAULTS = Defaults(image_size=160, dropout=0.1)
LAYOUT = Layout(stem="features.stem0.conv", norm="features.stem0.norm", head="classifier")


class MeshNet(nn.Module):
    """float32 `[N,3,S,S]` to logits `[N,num_classes]`; 91,258 parameters for two classes."""

    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__()
        width = STEM[1]
        blocks = {"stem0": _block(3, STEM[0], stride=2), "stem1": _block(STEM[0], width, stride=2)}
        blocks |= {f"mesh{i}": _block(width, width, dilation=dilation) for i, dilation in enumerate(DILATIONS)}
        self.features = nn.Sequential(OrderedDict(blocks))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, num_classes))
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> Tensor:
        """Logits of a batch."""
        logits: Tensor = self.classifier(self.pool(self.features(image)).flatten(1))
        return logits


def build(num_classes: int, *, dropout: float, head: str) -> nn.Module:
    """The network with random weights. Its own head is already the linear one."""
    return MeshNet(num_classes, dropout)


def _block(channels: int, width: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(width), relu=nn.ReLU(inplace=True)))
