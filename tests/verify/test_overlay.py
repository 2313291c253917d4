import io

import numpy as np
import pytest
from PIL import Image

from melanoma_edge.verify.overlay import AGAINST, FOR, OPACITY, overlay, png

GREY = np.full((40, 40, 3), 128, np.uint8)


def test_evidence_is_orange_against_is_blue_and_nothing_is_the_grey_photograph() -> None:
    drawn = overlay(GREY, np.array([[2.0, -2.0], [0.0, 0.0]], np.float32)).astype(int)
    assert drawn[0, 0] == pytest.approx(128 * (1 - OPACITY) + OPACITY * np.array(FOR), abs=1)
    assert drawn[0, -1] == pytest.approx(128 * (1 - OPACITY) + OPACITY * np.array(AGAINST), abs=1)
    assert (drawn[-1] == 128).all()


def test_a_common_scale_makes_the_weaker_map_paler() -> None:
    weak = overlay(GREY, np.full((2, 2), 0.5, np.float32), strongest=1.0).astype(int)
    assert weak[20, 20] == pytest.approx(128 * (1 - OPACITY / 2) + OPACITY / 2 * np.array(FOR), abs=1)
    beyond, full = (overlay(GREY, np.full((2, 2), v, np.float32), strongest=1.0) for v in (9.0, 1.0))
    assert (beyond == full).all()


def test_an_empty_map_leaves_the_photograph_in_grey() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    drawn = overlay(pixels, np.zeros((5, 5), np.float32))
    assert np.ptp(drawn, axis=2).max() == 0
    assert np.abs(drawn[..., 0].astype(int) - np.asarray(Image.fromarray(pixels).convert("L"))).max() <= 1


def test_a_png_gives_the_pixels_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(png(pixels)))) == pixels).all()
