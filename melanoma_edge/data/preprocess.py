"""The one preprocessing: EXIF rotation, RGB, centre crop to a square, Pillow's antialiased bilinear resize, normalise.

Training, reference, calibration, verification and every bundle use these functions or their stated equal.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from melanoma_edge.document import by_name
from melanoma_edge.errors import InputError

STEPS = ("exif_transpose", "rgb", "center_crop_square", "resize_bilinear_antialias", "normalize")
RESIZE = "Pillow Image.resize(BILINEAR, reducing_gap=None), uint8, 22-bit fixed point"
FORMULA = "(pixel - mean) / std"
Channels = float | tuple[float, ...]  # one number for all channels, or one each
MEAN = STD = 128.0  # scale 1/128 and zero point 0: the first integer is pixel - 128, so quantising the image is exact


class Scaling(Protocol):
    """What makes a network's input of pixels: (pixel - mean) / std."""

    @property
    def mean(self) -> Channels:
        """In pixel units."""

    @property
    def std(self) -> Channels:
        """In pixel units, above 0."""


@dataclass(frozen=True)
class Normalization:
    """What a network takes: (pixel - mean) / std, in pixel units from 0 to 255. One number, or one a channel.

    Raises InputError when mean is not finite or std not positive.
    """

    mean: Channels = MEAN
    std: Channels = STD

    def __post_init__(self) -> None:
        _check(self)

    def channels(self, count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """mean and std of each of `count` channels. Raises InputError when another number of them is stated."""
        stated = {np.size(numbers) for numbers in (self.mean, self.std)}
        if not stated <= {1, count}:
            raise InputError(
                f"mean is {self.mean}, std {self.std}: one number, or {count}, one a channel, are accepted"
            )
        mean, std = (
            np.broadcast_to(np.asarray(numbers, float), (count,)).tolist() for numbers in (self.mean, self.std)
        )
        return tuple(mean), tuple(std)


@dataclass(frozen=True)
class PreprocessingFacts:
    """A `Preprocessing` in full, as reports and manifests have it: the steps in their order, how the image is resized,
    how pixels (0 to 255) are normalised, and its three fields."""

    steps: tuple[str, ...]
    resize: str
    formula: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    __getitem__ = by_name


@dataclass(frozen=True)
class Preprocessing:
    """How an image file becomes a `size` x `size` network input. mean and std are in pixel units, per channel.

    Raises InputError when mean is not finite or std not positive.
    """

    size: int
    mean: tuple[float, float, float] = (MEAN, MEAN, MEAN)
    std: tuple[float, float, float] = (STD, STD, STD)

    def __post_init__(self) -> None:
        _check(self)

    @staticmethod
    def of(size: int, normalization: Normalization) -> "Preprocessing":
        """Of a network of three channels. Raises InputError when `normalization` states another number."""
        means, stds = normalization.channels(3)
        return Preprocessing(size, (means[0], means[1], means[2]), (stds[0], stds[1], stds[2]))

    def describe(self) -> PreprocessingFacts:
        """Everything that there is to say about it."""
        return PreprocessingFacts(STEPS, RESIZE, FORMULA, self.size, self.mean, self.std)


def _check(scaling: Scaling) -> None:
    try:
        mean, std = np.asarray(scaling.mean, float), np.asarray(scaling.std, float)
    except (TypeError, ValueError):
        mean, std = np.array(np.nan), np.array(np.nan)
    if mean.ndim > 1 or std.ndim > 1 or not np.isfinite(mean).all() or not (np.isfinite(std) & (std > 0)).all():
        raise InputError(
            f"mean is {scaling.mean}, std {scaling.std}: finite numbers in pixel units (0-255) are accepted, "
            "std above 0"
        )


def square(image: Image.Image) -> Image.Image:
    """The upright RGB image's largest centred square; an odd pixel of margin goes to the right or bottom."""
    upright = ImageOps.exif_transpose(image).convert("RGB")
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    return upright.crop((left, top, left + side, top + side))


def pixels(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """A decoded image as uint8 RGB `[size, size, 3]`."""
    return np.asarray(square(image).resize((size, size), Image.Resampling.BILINEAR))


def load_pixels(path: Path, size: int) -> NDArray[np.uint8]:
    """An image file as uint8 RGB `[size, size, 3]`. Raises OSError when Pillow cannot decode it."""
    with Image.open(path) as image:
        return pixels(image, size)


def normalize(batch: NDArray[np.uint8], spec: Scaling) -> NDArray[np.float32]:
    """uint8 `[..., C]` to float32 network input of the same layout."""
    mean, std = np.asarray(spec.mean, np.float32), np.asarray(spec.std, np.float32)
    return (batch.astype(np.float32) - mean) / std
