"""Each perturbation does what its name says, more with its strength, and the same for the same seed."""

import numpy as np
import pytest
from PIL import Image

from melanoma_edge.data import perturb
from melanoma_edge.data.perturb import STRENGTHS, UNITS, Perturbation, load_perturbed, perturbed, photograph, standard
from melanoma_edge.data.preprocess import pixels
from melanoma_edge.errors import InputError

SIDE = 64


@pytest.fixture
def photo() -> Image.Image:
    """Wider than high, with something dark in the middle, and fine texture."""
    rng = np.random.default_rng(1)
    rough = rng.integers(90, 200, (15, 20, 3), np.uint8)
    rough[5:10, 8:12] //= 2
    smooth = np.asarray(Image.fromarray(rough).resize((200, 150), Image.Resampling.BICUBIC))
    return Image.fromarray(np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8))


def moved(photo: Image.Image, change: Perturbation) -> float:
    before = pixels(photo, SIDE).astype(float)
    return float(np.abs(perturbed(photograph(photo, SIDE), SIDE, change, (0,)) - before).mean())


def test_nothing_is_the_preprocessing(photo: Image.Image) -> None:
    assert np.array_equal(perturbed(photograph(photo, SIDE), SIDE, None, (0,)), pixels(photo, SIDE))


@pytest.mark.parametrize("change", standard(), ids=lambda c: f"{c.kind}-{c.strength:g}")
def test_the_same_seed_gives_the_same_pixels_and_something_moves(photo: Image.Image, change: Perturbation) -> None:
    one, two = (perturbed(photograph(photo, SIDE), SIDE, change, (3, 4)) for _ in range(2))
    assert one.shape == (SIDE, SIDE, 3) and one.dtype == np.uint8
    assert np.array_equal(one, two)
    assert moved(photo, change) > 0.01


@pytest.mark.parametrize(
    ("kind", "strengths"),
    [
        ("blur", (0.25, 0.5, 1, 2)),
        ("jpeg", (95, 75, 50, 30, 5)),
        ("brightness", (0.9, 0.75, 0.5)),
        ("brightness", (1.1, 1.25, 1.5)),
        ("zoom", (1.1, 1.25, 1.5)),
        ("noise", (1, 2, 5, 10)),
    ],
)
def test_more_strength_moves_more(photo: Image.Image, kind: str, strengths: tuple[float, ...]) -> None:
    distances = [moved(photo, Perturbation(kind, s)) for s in strengths]
    assert distances == sorted(distances)


def test_light_and_noise_have_their_stated_size() -> None:
    grey = Image.new("RGB", (90, 90), (128, 128, 128))
    half = perturbed(grey, SIDE, Perturbation("brightness", 0.5), (0,))
    assert np.unique(half).tolist() == [92]  # sRGB 128 is 0.2159 linear; half of it encodes to 92.4
    noisy = perturbed(grey, SIDE, Perturbation("noise", 5), (0,)).astype(float) - 128
    assert noisy.std() == pytest.approx(5, rel=0.05) and abs(noisy.mean()) < 0.2


def test_zoom_keeps_the_middle_in_the_middle() -> None:
    image = Image.new("RGB", (150, 150), (200, 200, 200))
    image.paste((20, 20, 20), (50, 50, 100, 100))
    for factor in (0.8, 0.9, 1.1, 1.25):
        dark = perturbed(image, 150, Perturbation("zoom", factor), (0,))[:, :, 0] < 110
        assert np.sqrt(dark.sum()) == pytest.approx(50 * factor, abs=1.5)
        assert np.argwhere(dark).mean(axis=0) == pytest.approx([74.5, 74.5], abs=1)


def test_every_kind_has_strengths_and_a_unit() -> None:
    assert set(STRENGTHS) == set(UNITS) == {*perturb.KINDS, perturb.NOISE}


def test_what_cannot_be_done_is_said(photo: Image.Image, tmp_path) -> None:
    with pytest.raises(InputError, match=r"unknown perturbation 'rain': known are blur"):
        perturbed(photo, SIDE, Perturbation("rain", 1), (0,))
    (tmp_path / "a.jpg").write_text("no image")
    with pytest.raises(InputError, match=r"cannot decode .*a\.jpg"):
        load_perturbed(tmp_path / "a.jpg", SIDE, (None,), (0,))


def test_large_photographs_are_reduced_but_stay_finer_than_the_network() -> None:
    assert photograph(Image.new("RGB", (4000, 3000)), SIDE).size == (273, 273)  # 3000 // 11, rounded up
    assert photograph(Image.new("RGB", (600, 450)), SIDE).size == (450, 450)


def test_a_file_gives_every_change_in_order(photo: Image.Image, tmp_path) -> None:
    photo.save(tmp_path / "a.png")
    changes = (None, *standard())
    found = load_perturbed(tmp_path / "a.png", SIDE, changes, (7,))
    assert found.shape == (len(changes), SIDE, SIDE, 3)
    square = photograph(photo, SIDE)
    assert all(np.array_equal(found[i], perturbed(square, SIDE, c, (7, i))) for i, c in enumerate(changes))
