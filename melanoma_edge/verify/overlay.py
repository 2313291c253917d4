"""A heat map over its image: the photograph in grey, orange where it speaks for melanoma and blue where against.

Orange and blue are told apart by eyes that do not tell red from green, and neither is a colour of skin.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOR, AGAINST = (255, 122, 0), (0, 114, 255)
OPACITY = 0.65  # of the strongest place
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def overlay(
    pixels: NDArray[np.uint8], heat_map: NDArray[np.float32], strongest: float | None = None
) -> NDArray[np.uint8]:
    """uint8 RGB `[S, S, 3]` of an image `[S, S, 3]` under its heat map `[h, w]`, enlarged bilinearly.

    strongest: the absolute value drawn at full strength, by default the map's own largest; maps that are compared need
    the same one.
    """
    height, width = pixels.shape[:2]
    limit = float(np.abs(heat_map).max()) if strongest is None else strongest
    places = Image.fromarray(np.asarray(heat_map, np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    share = np.clip(np.asarray(places) / limit, -1, 1) if limit > 0 else np.zeros((height, width), np.float32)
    opacity = OPACITY * np.abs(share)[..., np.newaxis]
    grey = (np.asarray(pixels, np.float32) @ np.array(LUMA, np.float32))[..., np.newaxis]
    colour = np.where(share[..., np.newaxis] > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    return np.rint(grey * (1 - opacity) + colour * opacity).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """The bytes of a PNG of a uint8 RGB `[S, S, 3]` image."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()
