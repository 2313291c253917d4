"""Small pictures of the images whose decision changed, as bytes that a report can hold inside itself."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_edge.errors import InputError

SIDE = 96  # pixels
QUALITY = 85  # of the JPEG


def thumbnail(pixels: NDArray[np.uint8], side: int = SIDE) -> bytes:
    """A JPEG of one uint8 RGB `[S, S, 3]` image, at most `side` pixels wide; smaller images are not enlarged."""
    image = Image.fromarray(np.asarray(pixels))
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=QUALITY)
    return data.getvalue()


def thumbnails(
    pixels: NDArray[np.uint8], ids: Sequence[str], wanted: Sequence[str], side: int = SIDE
) -> dict[str, bytes]:
    """Image id to JPEG bytes for the `wanted` ids. pixels: uint8 `[N, S, S, 3]` in the order of `ids`.

    Raises InputError for an id that is not among `ids`.
    """
    rows = {image_id: row for row, image_id in enumerate(ids)}
    unknown = [image_id for image_id in wanted if image_id not in rows]
    if unknown:
        raise InputError(f"no pixels for image {unknown[0]!r}: the flips must be of these {len(rows)} images")
    return {image_id: thumbnail(pixels[rows[image_id]], side) for image_id in wanted}
