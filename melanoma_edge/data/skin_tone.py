"""Skin tone estimated from a photograph: the individual typology angle of what surrounds the lesion.

ITA = atan((L* - 50) / b*), in degrees (Chardon et al., 1991), of the median colour of the image's outer frame, with
the classes of Del Bino and Bernerd (2013). An estimate: it takes the frame for skin, and the camera's white balance for
right. It groups images for comparison; it says nothing of a person.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

FRAME = 0.1  # of the side: width of the frame that is taken for skin
CLASSES = ((55.0, "very light"), (41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-30.0, "brown"))
DARKEST = "dark"


def angle(pixels: NDArray[np.uint8]) -> float:
    """ITA in degrees of a uint8 sRGB image `[S, S, 3]`."""
    rgb = _median(_frame(pixels))
    lightness, _, yellow = _lab(rgb)
    return float(np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-6))))


def tone(ita: float) -> str:
    """The class of an angle, with its bounds."""
    upper = ""
    for least, name in CLASSES:
        if ita > least:
            return f"{name} (ITA above {least:g}°{upper})"
        upper = f" up to {least:g}°"
    return f"{DARKEST} (ITA{upper})"


def _frame(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels of the frame, `[N, 3]`."""
    inside = np.ones(pixels.shape[:2], bool)
    width = max(1, round(FRAME * len(pixels)))
    inside[width:-width, width:-width] = False
    return pixels[inside]


def _median(colours: NDArray[np.uint8]) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.median(colours, axis=0))
    return red, green, blue


def _lab(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """L*, a* and b* of an sRGB colour, to the 8 bits that Pillow gives."""
    lab = ImageCms.applyTransform(Image.new("RGB", (1, 1), rgb), _TO_LAB)
    assert lab is not None
    lightness, green_red, blue_yellow = (int(value) for value in np.asarray(lab)[0, 0])
    signed = [value - 256 if value > 127 else value for value in (green_red, blue_yellow)]
    return lightness / 255 * 100, float(signed[0]), float(signed[1])


_TO_LAB = ImageCms.buildTransformFromOpenProfiles(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
)
