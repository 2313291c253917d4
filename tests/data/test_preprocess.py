import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from melanoma_edge.data.preprocess import Preprocessing, load_pixels, normalize, pixels, square

# For each EXIF orientation, how the stored array becomes the upright one (EXIF 2.32, tag 274).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(tmp_path, orientation):
    stored = noise(24, 24)
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(stored).save(path, exif=exif)
    np.testing.assert_array_equal(load_pixels(path, 24), UPRIGHT[orientation](stored))


def test_orientation_comes_before_the_crop(tmp_path):
    stored = noise(30, 20)
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(stored).save(path, exif=exif)
    np.testing.assert_array_equal(load_pixels(path, 20), np.rot90(stored, -1)[5:25])


@pytest.mark.parametrize(
    ("width", "height", "left", "top"), [(30, 20, 5, 0), (20, 30, 0, 5), (25, 20, 2, 0), (20, 27, 0, 3)]
)
def test_the_crop_is_centred_and_an_odd_pixel_stays_right_or_below(width, height, left, top):
    stored = noise(width, height)
    np.testing.assert_array_equal(square(Image.fromarray(stored)), stored[top : top + 20, left : left + 20])


def antialiased_bilinear(image: np.ndarray, size: int) -> np.ndarray:
    """Pillow's resize from its definition: triangle filter of the scale's width, 22-bit weights, two uint8 passes."""

    def weights(old: int) -> np.ndarray:
        scale = old / size
        support = max(scale, 1.0)
        table = np.zeros((size, old))
        for row in range(size):
            centre = (row + 0.5) * scale
            low, high = max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), old)
            triangle = np.maximum(0, 1 - np.abs((np.arange(low, high) - centre + 0.5) / support))
            table[row, low:high] = triangle / triangle.sum()
        return np.floor(table * (1 << 22) + 0.5).astype(np.int64)

    def one_pass(rows: np.ndarray) -> np.ndarray:
        summed = np.einsum("so,ow...->sw...", weights(rows.shape[0]), rows.astype(np.int64))
        return np.clip((summed + (1 << 21)) >> 22, 0, 255).astype(np.uint8)

    if image.shape[0] == size:
        return image
    across = one_pass(image.transpose(1, 0, 2)).transpose(1, 0, 2)
    return one_pass(across)


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 90), st.integers(8, 64), st.integers(0, 9))
def test_the_resize_is_the_stated_fixed_point_arithmetic(side, size, seed):
    image = noise(side, side, seed)
    np.testing.assert_array_equal(pixels(Image.fromarray(image), size), antialiased_bilinear(image, size))


def test_grey_becomes_three_equal_channels(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(noise(20, 20)[..., 0]).save(path)
    found = load_pixels(path, 10)
    assert found.shape == (10, 10, 3)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[..., 0], found[..., 2])


def test_every_pixel_value_is_an_exact_multiple_of_the_input_scale():
    values = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    found = normalize(values, Preprocessing(224))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found * 128, values.astype(np.float32) - 128)


def test_mean_and_std_are_per_channel():
    spec = Preprocessing(8, (10.0, 20.0, 30.0), (2.0, 4.0, 5.0))
    np.testing.assert_array_equal(normalize(np.full((1, 1, 3), 40, np.uint8), spec)[0, 0], [15.0, 5.0, 2.0])
    facts = spec.describe()
    assert (facts.size, facts.mean, facts.std) == (8, (10.0, 20.0, 30.0), (2.0, 4.0, 5.0))
