"""Golden vectors: what Python computes for a few drawn images, for an app to compare itself with on its own device."""

import base64
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_edge.data import lesions
from melanoma_edge.data.preprocess import pixels
from melanoma_edge.verify.gates import INEXACT_LOGIT  # where the last digits move integers

DIAGNOSES = ("mel", "nv", "bkl", "vasc")
SIDEWAYS = 6  # EXIF orientation: turned by a quarter
FLOAT_TOLERANCE = 1e-4  # of a logit: processors add floats in other orders
Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Picture:
    """A drawn lesion in a file: never a patient's. type: MIME type of `data`."""

    name: str
    type: str
    data: bytes

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """As the preprocessing gives them: uint8 RGB `[size, size, 3]`."""
        with Image.open(io.BytesIO(self.data)) as image:
            return pixels(image, size)


def pictures() -> Iterator[Picture]:
    """One lesion in each way that files differ: PNG, JPEG, a JPEG on its side, WebP."""
    drawn = [_draw(diagnosis) for diagnosis in DIAGNOSES]
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    yield Picture("png", "image/png", _encoded(drawn[0], "PNG"))
    yield Picture("jpeg", "image/jpeg", _encoded(drawn[1], "JPEG", quality=90))
    yield Picture("jpeg, sideways", "image/jpeg", _encoded(drawn[2], "JPEG", quality=85, exif=exif))
    yield Picture("webp", "image/webp", _encoded(drawn[3], "WEBP", quality=90))


def golden(
    size: int, answers: Mapping[str, tuple[Answer, float]], shown: Iterable[Picture] | None = None
) -> dict[str, object]:
    """The document of golden.json. answers: by model id, what runs uint8 `[N, S, S, 3]` pixels and gives logits, and
    how far a logit may be off on another processor. shown: the pictures, by default all.
    """
    rows = []
    for picture in pictures() if shown is None else shown:
        resized = picture.pixels(size)
        rows.append(
            {
                "name": picture.name,
                "type": picture.type,
                "data": base64.b64encode(picture.data).decode(),
                "pixels_sha256": hashlib.sha256(resized.tobytes()).hexdigest(),
                "logits": {name: run(resized[np.newaxis])[0].tolist() for name, (run, _) in answers.items()},
            }
        )
    return {"images": rows, "tolerance": {name: allowed for name, (_, allowed) in answers.items()}}


def int8_tolerance(exact: bool) -> float:
    """How far a logit of an INT8 TFLite file may be off: nothing where every operator of its graph is exact."""
    return 0.0 if exact else INEXACT_LOGIT


def _draw(diagnosis: str) -> Image.Image:
    lesion = lesions.draw_lesion(diagnosis, (0, DIAGNOSES.index(diagnosis)))
    return Image.fromarray(lesions.photograph(lesion, lesions.paint(lesion), view=0))


def _encoded(image: Image.Image, form: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()
