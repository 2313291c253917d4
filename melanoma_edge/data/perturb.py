"""What a phone does to a picture: blur, JPEG, light, distance, sensor noise. Each with a name and strengths.

A perturbation works on the square that the preprocessing cuts out, before it is resized, as it would on a phone; noise
comes last, on the network's own pixels, so that its strength means the same for every camera. The same seed gives the
same pixels.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from melanoma_edge.data.preprocess import square
from melanoma_edge.errors import InputError

Seed = tuple[int, ...]


@dataclass(frozen=True)
class Perturbation:
    """One change at one strength, in the unit of its function in `KINDS`."""

    kind: str
    strength: float


def blur(image: Image.Image, percent: float) -> Image.Image:
    """Out of focus or shaken: a Gaussian whose deviation is `percent` of the image's side."""
    return image.filter(ImageFilter.GaussianBlur(percent / 100 * image.width))


def jpeg(image: Image.Image, quality: float) -> Image.Image:
    """Compressed and read again, with Pillow's quality 1 to 95."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=round(quality))
    return Image.open(file).convert("RGB")


def brightness(image: Image.Image, factor: float) -> Image.Image:
    """Exposed by `factor` of the light: sRGB values are made linear, scaled, clipped and encoded again."""
    encoded = np.arange(256) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    scaled = np.clip(linear * factor, 0, 1)
    encoded = np.where(scaled <= 0.0031308, scaled * 12.92, 1.055 * scaled ** (1 / 2.4) - 0.055)
    return image.point(np.rint(encoded * 255).astype(int).tolist() * 3)


def zoom(image: Image.Image, factor: float) -> Image.Image:
    """Nearer (above 1: the middle is cut out) or farther (below 1: the frame goes on as its mirror image)."""
    side = max(1, round(image.width / factor))
    if factor >= 1:
        start = (image.width - side) // 2
        return image.crop((start, start, start + side, start + side))
    before = (side - image.width) // 2
    margin = (before, side - image.width - before)
    return Image.fromarray(np.pad(np.asarray(image), (margin, margin, (0, 0)), "symmetric"))


def noise(pixels: NDArray[np.uint8], levels: float, seed: Seed) -> NDArray[np.uint8]:
    """Sensor noise on uint8 `[S, S, 3]`: Gaussian, a deviation of `levels` in each channel of each pixel."""
    drawn = np.random.default_rng(seed).normal(0, levels, pixels.shape)
    return np.rint(np.clip(pixels + drawn, 0, 255)).astype(np.uint8)


NOISE = "noise"
FINER = 4  # how much finer than the network's input a photograph stays
KINDS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    change.__name__: change for change in (blur, jpeg, brightness, zoom)
}
STRENGTHS = {
    "blur": (0.25, 0.5, 1.0),
    "jpeg": (95, 60, 30),
    "brightness": (0.5, 0.75, 1.25, 1.5),
    "zoom": (0.8, 0.9, 1.1, 1.25),
    NOISE: (3, 8),
}
UNITS = {
    "blur": "% of the side",
    "jpeg": "quality",
    "brightness": "times the light",
    "zoom": "times as near",
    NOISE: "levels",
}


def standard() -> tuple[Perturbation, ...]:
    """Every kind at each of its strengths."""
    return tuple(Perturbation(kind, strength) for kind, strengths in STRENGTHS.items() for strength in strengths)


def photograph(image: Image.Image, size: int) -> Image.Image:
    """The square that the preprocessing cuts out of a decoded image, of at least FINER times `size` where it has that.

    Larger ones are averaged down by a whole factor: at twelve megapixels every change would take seconds.
    """
    whole = square(image)
    return whole.reduce(max(1, whole.width // (FINER * size)))


def perturbed(photo: Image.Image, size: int, change: Perturbation | None, seed: Seed) -> NDArray[np.uint8]:
    """A `photograph` through one change (None: unchanged) to the network's pixels, uint8 `[size, size, 3]`.

    seed: only noise draws from it. Raises InputError for an unknown kind.
    """
    if change is not None and change.kind not in STRENGTHS:
        raise InputError(f"unknown perturbation {change.kind!r}: known are {', '.join(STRENGTHS)}")
    noisy = change is not None and change.kind == NOISE
    changed = photo if change is None or noisy else KINDS[change.kind](photo, change.strength)
    small = np.asarray(changed.resize((size, size), Image.Resampling.BILINEAR))
    return noise(small, change.strength, seed) if change is not None and noisy else small


def load_perturbed(path: Path, size: int, changes: Sequence[Perturbation | None], seed: Seed) -> NDArray[np.uint8]:
    """An image file through each change: uint8 `[len(changes), size, size, 3]`.

    Raises InputError, naming the file, when it cannot be decoded.
    """
    try:
        with Image.open(path) as image:
            photo = photograph(image, size)
    except OSError as error:
        raise InputError(f"cannot decode {path}: {error}") from None
    return np.stack([perturbed(photo, size, change, (*seed, i)) for i, change in enumerate(changes)])
