"""The typology angle against colours whose Lab values are known, and of a frame around a lesion."""

import numpy as np
import pytest

from melanoma_edge.data.skin_tone import angle, tone


def image(frame: tuple[int, int, int], lesion: tuple[int, int, int] = (60, 30, 20)) -> np.ndarray:
    pixels = np.full((50, 50, 3), frame, np.uint8)
    pixels[10:40, 10:40] = lesion
    return pixels


# sRGB, and ITA by the CIE's formulas in double precision, adapted to D50 (Bradford) as ICC profiles are.
KNOWN = [((244, 208, 177), 60.49), ((224, 172, 135), 42.54), ((141, 85, 54), -15.37), ((60, 35, 25), -70.20)]


@pytest.mark.parametrize(("colour", "ita"), KNOWN)
def test_known_colours(colour: tuple[int, int, int], ita: float) -> None:
    assert angle(image(colour)) == pytest.approx(ita, abs=0.5)


def test_the_lesion_does_not_count() -> None:
    assert angle(image((224, 172, 135))) == angle(image((224, 172, 135), (255, 255, 255)))


def test_darker_skin_has_a_smaller_angle() -> None:
    angles = [angle(image(colour)) for colour, _ in KNOWN]
    assert angles == sorted(angles, reverse=True)


@pytest.mark.parametrize(
    ("ita", "name"),
    [(60, "very light"), (55, "light"), (30, "intermediate"), (11, "tan"), (-29, "brown"), (-31, "dark")],
)
def test_classes(ita: float, name: str) -> None:
    assert tone(ita).startswith(name + " (ITA")
