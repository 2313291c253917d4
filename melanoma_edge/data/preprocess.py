"""The one preprocessing: EXIF rotation, RGB, centre crop to a square, Pillow's antialiased bilinear resize, normalise.

Training, reference, calibration, verification and every bundle use these functions or their stated equal.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from melanoma_edge.errors import InputError

STEPS = ("exif_transpose", "rgb", "center_crop_square", "resize_bilinear_antialias", "normalize")
RESIZE = "Pillow Image.resize(BILINEAR, reducing_gap=None), uint8, 22-bit fixed point"
FORMULA = "(pixel - mean) / std"
MEAN = STD = 128.0  # scale 1/128 and zero point 0: the first integer is pixel - 128, so quantising the image is exact


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


@dataclass(frozen=True)
class Preprocessing:
    """How an image file becomes a `size` x `size` network input. mean and std are in pixel units, per channel.

    Raises InputError when mean is not finite or std not positive.
    """

    size: int
    mean: tuple[float, float, float] = (MEAN, MEAN, MEAN)
    std: tuple[float, float, float] = (STD, STD, STD)

    def __post_init__(self) -> None:
        if not all(math.isfinite(m) for m in self.mean) or not all(0 < s < math.inf for s in self.std):
            raise InputError(
                f"mean is {self.mean}, std {self.std}: finite numbers in pixel units (0-255) are accepted, std above 0"
            )

    def describe(self) -> PreprocessingFacts:
        """Everything that there is to say about it."""
        return PreprocessingFacts(STEPS, RESIZE, FORMULA, self.size, self.mean, self.std)


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


def normalize(batch: NDArray[np.uint8], spec: Preprocessing) -> NDArray[np.float32]:
    """uint8 `[..., 3]` to float32 network input of the same layout."""
    mean, std = np.asarray(spec.mean, np.float32), np.asarray(spec.std, np.float32)
    return (batch.astype(np.float32) - mean) / std
