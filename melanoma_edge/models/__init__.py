"""Backbones, one file each: the file's name is the name that users type.

A backbone file has `DEFAULTS`, `LAYOUT`, `build(num_classes, *, dropout, head)` and, where ImageNet weights exist
upstream, `pretrained()`. Nothing heavy is imported before a network is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_edge import registry
from melanoma_edge.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # 255 x (0.485, 0.456, 0.406), torchvision's constants in pixel units
IMAGENET_STD = (58.395, 57.12, 57.375)  # 255 x (0.229, 0.224, 0.225)
HEADS = ("default", "linear")  # the network's own classifier, or pooling, dropout and one linear layer


@dataclass(frozen=True)
class Defaults:
    """What a backbone uses where the user says nothing. `image_size` in pixels, `dropout` before the last layer."""

    image_size: int
    dropout: float
    head: str = "default"


@dataclass(frozen=True)
class Layout:
    """Module names that fine-tuning needs: the first convolution, its batch norm, and the classifier's prefix."""

    stem: str
    norm: str
    head: str


@dataclass(frozen=True)
class Pretrained:
    """A published state dict and the normalisation `(pixel - mean) / std` it was trained with, in pixel units."""

    state_dict: Mapping[str, Tensor]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Spec:
    """All that is needed to build a network again; stored beside its weights."""

    arch: str
    num_classes: int
    image_size: int
    dropout: float
    head: str


def names() -> tuple[str, ...]:
    """Sorted names of the backbones."""
    return registry.names(__name__)


def defaults(arch: str) -> Defaults:
    """The defaults of a backbone. Raises InputError, listing the known, for an unknown name."""
    value: Defaults = registry.load(__name__, arch).DEFAULTS
    return value


def layout(arch: str) -> Layout:
    """The module names of a backbone. Raises InputError, listing the known, for an unknown name."""
    value: Layout = registry.load(__name__, arch).LAYOUT
    return value


def spec(
    arch: str,
    num_classes: int,
    *,
    image_size: int | None = None,
    dropout: float | None = None,
    head: str | None = None,
) -> Spec:
    """The choices for one network, defaults filled in. Raises InputError naming the choice that cannot be."""
    default = defaults(arch)
    made = Spec(
        arch,
        num_classes,
        default.image_size if image_size is None else image_size,
        default.dropout if dropout is None else dropout,
        default.head if head is None else head,
    )
    if made.num_classes < 2:
        raise InputError(f"a classifier needs at least 2 classes, not {made.num_classes}")
    if not 32 <= made.image_size <= 1024:
        raise InputError(f"image size {made.image_size} px: 32 to 1024 is accepted")
    if not 0 <= made.dropout < 1:
        raise InputError(f"dropout {made.dropout}: a probability of at least 0 and below 1 is accepted")
    if made.head not in HEADS:
        raise InputError(f"unknown head {made.head!r}: known are {', '.join(HEADS)}")
    return made


def create(arch: str, num_classes: int, *, dropout: float | None = None, head: str | None = None) -> nn.Module:
    """A network with random weights: float32 `[N,3,S,S]` to float32 logits `[N,num_classes]`.

    Raises InputError for an unknown backbone or head and for a dropout or class count that cannot be.
    """
    chosen = spec(arch, num_classes, dropout=dropout, head=head)
    model: nn.Module = registry.load(__name__, arch).build(num_classes, dropout=chosen.dropout, head=chosen.head)
    return model


def require_linear_head(arch: str, head: str | None = None) -> None:
    """Raise InputError unless the head of a backbone is one linear layer, which an exact heat map needs.

    head: one of HEADS, or None for the backbone's default.
    """
    from torch import nn

    module = create(arch, 2, head=head).get_submodule(layout(arch).head)
    layers = [part for part in module.modules() if not list(part.children()) and not isinstance(part, nn.Dropout)]
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        named = " and ".join(type(layer).__name__ for layer in layers)
        raise InputError(
            f"no exact heat map for {arch}: its own head is {named}. Accepted is one linear layer behind the global "
            "pooling: add --head linear, or leave --heat-map out"
        )


def pretrained(arch: str) -> Pretrained:
    """The published ImageNet weights of a backbone, downloaded by its own library on first use.

    Raises InputError when there are none or when the download fails.
    """
    module = registry.load(__name__, arch)
    if not hasattr(module, "pretrained"):
        raise InputError(f"no ImageNet weights were ever published for {arch}: give --weights FILE or none")
    value: Pretrained = module.pretrained()
    return value
