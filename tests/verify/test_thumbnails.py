import io

import numpy as np
import pytest
from PIL import Image

from melanoma_edge.errors import InputError
from melanoma_edge.verify.thumbnails import thumbnail, thumbnails


def test_a_thumbnail_is_a_small_jpeg_of_the_same_picture():
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[:, 100:] = (200, 40, 90)
    image = Image.open(io.BytesIO(thumbnail(pixels)))
    assert (image.format, image.size) == ("JPEG", (96, 96))
    assert np.abs(np.asarray(image)[48, 80].astype(int) - (200, 40, 90)).max() < 8


def test_small_images_stay_small():
    assert Image.open(io.BytesIO(thumbnail(np.zeros((32, 32, 3), np.uint8)))).size == (32, 32)


def test_the_wanted_ids_get_their_own_picture():
    pixels = np.zeros((3, 16, 16, 3), np.uint8)
    pixels[2] = 255
    made = thumbnails(pixels, ["a", "b", "c"], ["c", "a"])
    means = {name: np.asarray(Image.open(io.BytesIO(data))).mean() for name, data in made.items()}
    assert means == {"c": 255, "a": 0}
    with pytest.raises(InputError, match="no pixels for image 'x'"):
        thumbnails(pixels, ["a", "b", "c"], ["x"])
