"""Whether a photograph is fit to be judged, without a network: focus, exposure, and a lesion within the frame.

Version 1. Apps compute the same numbers, to the bit, from the network's own uint8 RGB pixels `[S, S, 3]`. All of it is
integer arithmetic (`//` rounds down; every value is below 2^53) up to the last float64 square root and division that
make a measure. Rows i and columns j count from 0.

Luminance of a pixel: Y = (77 R + 150 G + 29 B + 128) // 256.

- `focus`: with the step k = max(1, (S + 80) // 160), over the pixels at least k from every border, sum(L * L) / count,
  where L = 4 Y[i,j] - Y[i-k,j] - Y[i+k,j] - Y[i,j-k] - Y[i,j+k]. The step makes it comparable between sizes; 0 where
  no pixel is left. (Energy of the Laplacian: Pertuz et al., Pattern Recognition 46:1415, 2013, LAP1 with squares.)
- `luminance`: sum(Y) / (S * S).
- `shadows`: count(Y <= 15) / (S * S). `highlights`: count(max(R, G, B) >= 250) / (S * S).

The lesion is looked for in the blue channel, which melanin darkens most, on a grid of G = min(32, S) by G cells:

1. Cell (a, b) covers rows aS//G to (a+1)S//G - 1 and columns likewise; its value is (2 sum(B) + n) // (2 n) over its n
   pixels.
2. The disc: cells with y*y + x*x <= G*G, where y = 2a + 1 - G and x = 2b + 1 - G. Only its cells count from here on:
   corners are often the black of a dermatoscope. The ring: cells of the disc of whose four neighbours one is not in it.
3. Otsu's threshold t over the disc: for each level 0 to 254, with w0 cells up to it, summing to s0, and w1 above it,
   summing to s1, both not 0: d = s0 w1 - s1 w0, score = (d * d) / (w0 * w1) in float64. t is the lowest level with the
   highest score. Without any such level there is no lesion, and every measure below is 0.
4. The lesion: of the 4-connected sets of cells with values up to t, the heaviest; a cell weighs 8 where
   4 (y*y + x*x) <= G*G, else 1. Of equals, the one that comes first row by row.

- `area`: lesion cells n1 / cells of the disc.
- `contrast`: (s2 n1 - s1 n2) / (n1 n2), the mean of the n2 cells above t less that of the lesion, in levels.
- `offset`: sqrt(sum(x)^2 + sum(y)^2) / (n1 G) over the lesion: how far its centre is from the middle, in radii.
- `cut`: sqrt(sum(x)^2 + sum(y)^2) / (m G) over the lesion's cells on the ring, m being the cells of the whole ring. 0
  for a lesion that ends before the border, and for one that fills the frame evenly; large for one cut off at a side.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from melanoma_edge.document import by_name

VERSION = 1
ACCEPTED = 0.99  # share of the images of a dataset that each limit lets pass
GRID, CENTRE_WEIGHT = 32, 8
SHADOW, HIGHLIGHT = 15, 250
Integers = NDArray[np.int64]
ADVICE = {
    "blurred": "The picture is blurred: hold still, and tap the lesion to focus.",
    "too_dark": "The picture is too dark: find more light.",
    "too_bright": "The picture is too bright: avoid flash and glare.",
    "no_lesion": "No lesion stands out from the skin: move closer.",
    "lesion_cut": "The lesion is cut off by the frame: move back, or centre it.",
    "off_centre": "The lesion is far from the middle: centre it.",
}


@dataclass(frozen=True)
class Quality:
    """The measures of one image, as the module's docstring defines them."""

    focus: float
    luminance: float
    shadows: float
    highlights: float
    area: float
    contrast: float
    offset: float
    cut: float


@dataclass(frozen=True)
class Limits:
    """The least and largest values of `Quality` that pass; what equals a limit passes."""

    min_focus: float
    min_luminance: float
    max_luminance: float
    max_shadows: float
    max_highlights: float
    min_area: float
    min_contrast: float
    max_offset: float
    max_cut: float


@dataclass(frozen=True)
class CaptureGuide:
    """What an app says of a photograph, as policy.json has it. version: of the measures. advice: English, by code.

    accepted: share of the validation images that each limit lets pass. flagged_in_validation: how many "images" those
    are, for how many of them "any" advice is, and each code's.
    """

    version: int
    limits: Limits
    advice: Mapping[str, str]
    accepted: float
    flagged_in_validation: Mapping[str, int]

    __getitem__ = by_name


# No limit is stricter than this, however clean the images are that it comes from.
LENIENT = {"max_shadows": 0.02, "max_highlights": 0.02, "max_offset": 0.5, "max_cut": 0.1}


def measure(pixels: NDArray[np.uint8]) -> Quality:
    """The measures of a uint8 RGB image `[S, S, 3]`."""
    y = luminance(pixels)
    count = y.size
    return Quality(
        focus=_focus(y),
        luminance=int(y.sum()) / count,
        shadows=int((y <= SHADOW).sum()) / count,
        highlights=int((pixels.max(axis=2) >= HIGHLIGHT).sum()) / count,
        **_lesion(_cells(pixels[:, :, 2].astype(np.int64))),
    )


def luminance(pixels: NDArray[np.uint8]) -> Integers:
    """Luminance 0 to 255, int64 `[S, S]`, of a uint8 RGB image `[S, S, 3]`."""
    red, green, blue = (pixels[:, :, channel].astype(np.int64) for channel in range(3))
    return (77 * red + 150 * green + 29 * blue + 128) >> 8


def limits(measured: Sequence[Quality], accepted: float = ACCEPTED) -> Limits:
    """Limits of which each lets the share `accepted` of these images pass, and no stricter than LENIENT.

    What a dataset is full of, such as lesions larger than the frame, is thereby accepted. Quantiles are linear between
    two images (numpy's default).
    """
    chosen = {}
    for limit in fields(Limits):
        side, _, name = limit.name.partition("_")
        values = [getattr(quality, name) for quality in measured]
        share = accepted if side == "max" else 1 - accepted
        chosen[limit.name] = max(float(np.quantile(values, share)), LENIENT.get(limit.name, -math.inf))
    return Limits(**chosen)


def advice(quality: Quality, within: Limits) -> tuple[str, ...]:
    """The codes of ADVICE that an image calls for, in that order; none when it is fit to be judged.

    Where no lesion stands out, nothing is said of its place.
    """
    absent = quality.contrast < within.min_contrast or quality.area < within.min_area
    wrong = {
        "blurred": quality.focus < within.min_focus,
        "too_dark": quality.luminance < within.min_luminance or quality.shadows > within.max_shadows,
        "too_bright": quality.luminance > within.max_luminance or quality.highlights > within.max_highlights,
        "no_lesion": absent,
        "lesion_cut": not absent and quality.cut > within.max_cut,
        "off_centre": not absent and quality.offset > within.max_offset,
    }
    return tuple(code for code in ADVICE if wrong[code])


def guide(measured: Sequence[Quality], accepted: float = ACCEPTED) -> CaptureGuide:
    """`limits` of these images, and how many of them each piece of advice is for."""
    within = limits(measured, accepted)
    called_for = [advice(quality, within) for quality in measured]
    counts = Counter(code for codes in called_for for code in codes)
    flagged = {"images": len(measured), "any": sum(map(bool, called_for)), **{code: counts[code] for code in ADVICE}}
    return CaptureGuide(VERSION, within, ADVICE, accepted, flagged)


def _focus(y: Integers) -> float:
    step = max(1, (len(y) + 80) // 160)
    middle = y[step:-step, step:-step]
    above, below = y[: -2 * step, step:-step], y[2 * step :, step:-step]
    left, right = y[step:-step, : -2 * step], y[step:-step, 2 * step :]
    curved = 4 * middle - above - below - left - right
    return int((curved * curved).sum()) / curved.size if curved.size else 0.0


def _cells(channel: Integers) -> Integers:
    """Rounded means of a channel over the cells of the grid, `[G, G]`."""
    side = len(channel)
    count = min(GRID, side)
    edges = np.arange(count + 1) * side // count
    starts, widths = edges[:-1], np.diff(edges)
    sums = np.add.reduceat(np.add.reduceat(channel, starts, axis=0), starts, axis=1)
    pixels = widths[:, None] * widths
    means: Integers = (2 * sums + pixels) // (2 * pixels)
    return means


def _lesion(cells: Integers) -> dict[str, float]:
    """Area, contrast, offset and cut of the lesion on a grid of cells."""
    x, y, disc, ring = _geometry(len(cells))
    side = len(cells)
    threshold = _otsu(cells[disc])
    if threshold is None:
        return {"area": 0.0, "contrast": 0.0, "offset": 0.0, "cut": 0.0}
    sets, count = ndimage.label(disc & (cells <= threshold))  # 4-connected, numbered row by row
    weight = np.where(4 * (x * x + y * y) <= side * side, CENTRE_WEIGHT, 1)
    weights = np.bincount(sets.ravel(), weight.ravel(), count + 1)
    inside = sets == 1 + int(weights[1:].argmax())
    skin = disc & (cells > threshold)
    n1, n2 = int(inside.sum()), int(skin.sum())
    s1, s2 = int(cells[inside].sum()), int(cells[skin].sum())
    edge = inside & ring
    return {
        "area": n1 / int(disc.sum()),
        "contrast": (s2 * n1 - s1 * n2) / (n1 * n2),
        "offset": _length(x, y, inside) / (n1 * side),
        "cut": _length(x, y, edge) / (int(ring.sum()) * side),
    }


def _length(x: Integers, y: Integers, where: NDArray[np.bool_]) -> float:
    """Length of the sum of the positions of some cells."""
    across, down = int(x[where].sum()), int(y[where].sum())
    return math.sqrt(across * across + down * down)


@lru_cache(maxsize=4)
def _geometry(side: int) -> tuple[Integers, Integers, NDArray[np.bool_], NDArray[np.bool_]]:
    """x and y of each cell, the disc and its ring, each `[side, side]`."""
    y, x = 2 * np.indices((side, side)) + 1 - side
    disc = x * x + y * y <= side * side
    return x, y, disc, disc & ~ndimage.binary_erosion(disc)


def _otsu(values: Integers) -> int | None:
    """Otsu's threshold, the lowest of equals; None when all values are the same (IEEE Trans. SMC 9:62, 1979)."""
    histogram = np.bincount(values, minlength=256)
    below, summed = np.cumsum(histogram)[:-1], np.cumsum(histogram * np.arange(256))
    above, s0 = len(values) - below, summed[:-1]
    d = s0 * above - (summed[-1] - s0) * below
    usable = (below > 0) & (above > 0)
    if not usable.any():
        return None
    score = np.full(255, -1.0)
    wide = d[usable].astype(np.float64)
    score[usable] = (wide * wide) / (below * above)[usable].astype(np.float64)
    return int(score.argmax())
