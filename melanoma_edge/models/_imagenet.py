"""Published ImageNet weights over the network, and the linear head that any backbone can take."""

import contextlib
import io
import urllib.error

import torch
from torch import nn

from melanoma_edge.errors import InputError
from melanoma_edge.models import IMAGENET_MEAN, IMAGENET_STD, Pretrained


def download(
    url: str,
    mean: tuple[float, float, float] = IMAGENET_MEAN,
    std: tuple[float, float, float] = IMAGENET_STD,
) -> Pretrained:
    """The state dict at `url`, kept in torch's hub cache; its file name ends with the start of its sha256.

    Raises InputError when it cannot be fetched or its bytes are not what the name promises.
    """
    name = url.rsplit("/", 1)[-1]
    instead = "give --weights FILE.safetensors, or no weights to train from random ones"
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # torch.hub announces the download there
            state = torch.hub.load_state_dict_from_url(
                url, map_location="cpu", progress=False, check_hash=True, weights_only=True
            )
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise InputError(f"the ImageNet weights {name} could not be downloaded ({reason}): {instead}") from None
    except RuntimeError as error:
        raise InputError(f"the ImageNet weights {name} arrived damaged ({error}): try again, or {instead}") from None
    return Pretrained(state, mean, std)


def linear_head(features: int, num_classes: int, dropout: float) -> nn.Sequential:
    """Dropout and one linear layer, for what stands after the global pooling."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, num_classes))
