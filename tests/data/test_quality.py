"""The measures move as their names say, agree with a plain reading of their definition, and keep golden values."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageFilter

from melanoma_edge.data import quality
from melanoma_edge.data.preprocess import load_pixels
from melanoma_edge.data.quality import ADVICE, Limits, Quality, advice, limits, measure

WIDE = Limits(0, 0, 255, 1, 1, 0, 0, 10, 10)  # lets everything pass
Cell = tuple[int, int]


def lesion(side: int = 160, centre: tuple[float, float] = (0.5, 0.5), radius: float = 0.2) -> np.ndarray:
    """A dark disc with texture on bright skin, uint8 `[side, side, 3]`; centre (across, down), in parts of the side."""
    y, x = (np.indices((side, side)) + 0.5) / side
    inside = np.hypot(x - centre[0], y - centre[1]) < radius
    texture = np.random.default_rng(0).normal(0, 6, (side, side))
    skin = np.array([205, 160, 140]) + texture[..., None]
    return np.clip(np.where(inside[..., None], skin * 0.45, skin), 0, 255).astype(np.uint8)


def blurred(pixels: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def plain(pixels: np.ndarray) -> Quality:
    """The docstring's definition, step by step in Python's own integers, as an app would write it."""
    image = pixels.tolist()
    side = len(image)
    y = [[(77 * r + 150 * g + 29 * b + 128) // 256 for r, g, b in row] for row in image]
    flat = [value for row in y for value in row]
    k = max(1, (side + 80) // 160)
    squares = [
        (4 * y[i][j] - y[i - k][j] - y[i + k][j] - y[i][j - k] - y[i][j + k]) ** 2
        for i in range(k, side - k)
        for j in range(k, side - k)
    ]
    return Quality(
        focus=sum(squares) / len(squares) if squares else 0.0,
        luminance=sum(flat) / len(flat),
        shadows=sum(value <= 15 for value in flat) / len(flat),
        highlights=sum(max(pixel) >= 250 for row in image for pixel in row) / len(flat),
        **dict(zip(("area", "contrast", "offset", "cut"), plain_lesion(image), strict=True)),
    )


def plain_lesion(image: list) -> tuple[float, float, float, float]:
    side = len(image)
    count = min(32, side)
    edges = [i * side // count for i in range(count + 1)]
    position = range(1 - count, count, 2)
    value: dict[Cell, int] = {}
    for a in range(count):
        for b in range(count):
            if position[a] ** 2 + position[b] ** 2 > count**2:
                continue
            inside = [image[i][j][2] for i in range(edges[a], edges[a + 1]) for j in range(edges[b], edges[b + 1])]
            value[a, b] = (2 * sum(inside) + len(inside)) // (2 * len(inside))
    best, threshold = -1.0, None
    for t in range(255):
        low, high = [v for v in value.values() if v <= t], [v for v in value.values() if v > t]
        if low and high:
            d = float(sum(low) * len(high) - sum(high) * len(low))
            if d * d / float(len(low) * len(high)) > best:
                best, threshold = d * d / float(len(low) * len(high)), t
    if threshold is None:
        return 0.0, 0.0, 0.0, 0.0
    found = heaviest({cell for cell, v in value.items() if v <= threshold}, count)
    ring = {cell for cell in value if any(n not in value for n in neighbours(cell))}
    skin = [v for v in value.values() if v > threshold]
    n1, n2 = len(found), len(skin)
    contrast = (sum(skin) * n1 - sum(value[c] for c in found) * n2) / (n1 * n2)

    def length(cells: set[Cell]) -> float:
        return math.sqrt(sum(position[b] for _, b in cells) ** 2 + sum(position[a] for a, _ in cells) ** 2)

    return n1 / len(value), contrast, length(found) / (n1 * count), length(found & ring) / (len(ring) * count)


def neighbours(cell: Cell) -> list[Cell]:
    a, b = cell
    return [(a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)]


def heaviest(dark: set[Cell], count: int) -> set[Cell]:
    sets = []
    while dark:
        reached, waiting = set(), [min(dark)]
        while waiting:
            cell = waiting.pop()
            if cell in dark:
                dark.discard(cell)
                reached.add(cell)
                waiting += neighbours(cell)
        sets.append(reached)
    near = {c for s in sets for c in s if 4 * sum((2 * v + 1 - count) ** 2 for v in c) <= count**2}
    return max(sets, key=lambda s: sum(8 if c in near else 1 for c in s))  # the first of equals


def test_golden_values() -> None:
    """Apps test their own code against these: an image that integer arithmetic alone defines."""
    i, j = np.indices((48, 48))
    dark = (i - 20) ** 2 + (j - 28) ** 2 < 150
    base = 150 + (i * 7 + j * 13) % 31
    image = np.stack([base + 40, base, base - 20], 2)
    image[dark] //= 3
    found = measure(image.astype(np.uint8))
    assert dataclasses.asdict(found) == GOLDEN


GOLDEN = {
    "focus": 3638.8454631379964,
    "luminance": 150.54991319444446,
    "shadows": 0.0,
    "highlights": 0.0,
    "area": 0.2672413793103448,
    "contrast": 93.75066413662239,
    "offset": 0.2396068432016797,
    "cut": 0.0,
}


@pytest.mark.parametrize("side", [1, 2, 5, 31, 32, 33, 70, 250])
def test_the_code_is_its_definition(side: int) -> None:
    rng = np.random.default_rng(side)
    smooth = rng.integers(0, 256, (max(1, side // 9), max(1, side // 9), 3), np.uint8)
    image = np.asarray(Image.fromarray(smooth).resize((side, side), Image.Resampling.BILINEAR))
    assert measure(image) == plain(image)


@given(arrays.arrays(np.uint8, st.integers(1, 20).map(lambda s: (s, s, 3))))
def test_any_image_has_measures_within_bounds(image: np.ndarray) -> None:
    found = measure(image)
    assert found == plain(image)
    assert all(0 <= getattr(found, name) <= 1 for name in ("shadows", "highlights", "area", "offset", "cut"))
    assert 0 <= found.luminance <= 255 and 0 <= found.contrast <= 255 and 0 <= found.focus <= 1020**2
    assert advice(found, WIDE) == ()


def test_blur_lowers_focus_step_by_step() -> None:
    values = [measure(blurred(lesion(), radius)).focus for radius in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True) and values[0] > 5 * values[-1]


def test_focus_hardly_depends_on_the_size() -> None:
    smooth = blurred(lesion(640), 4)
    large, small = (measure(np.asarray(Image.fromarray(smooth).resize((s, s)))).focus for s in (320, 160))
    assert large == pytest.approx(small, rel=0.2)


def test_light_moves_exposure() -> None:
    found = [measure(np.clip(lesion() * f, 0, 255).astype(np.uint8)) for f in (0.1, 0.5, 1.0, 1.5)]
    assert [q.luminance for q in found] == sorted(q.luminance for q in found)
    assert found[0].shadows > 0.1 > found[2].shadows and found[3].highlights > 0.5 > found[2].highlights


def test_the_lesion_is_found_where_it_is() -> None:
    middle = measure(lesion())
    assert middle.area == pytest.approx(0.2**2 / 0.5**2, rel=0.15)  # of the disc
    assert middle.contrast == pytest.approx(140 * 0.55, abs=4) and middle.offset < 0.02 and middle.cut == 0
    offsets = [measure(lesion(centre=(0.5 + d, 0.5), radius=0.1)).offset for d in (0, 0.1, 0.2, 0.3)]
    assert offsets == pytest.approx([0, 0.2, 0.4, 0.6], abs=0.03)


def test_a_lesion_cut_at_a_side_is_told_from_one_that_fills_the_frame() -> None:
    cut, filling = measure(lesion(centre=(0.95, 0.5), radius=0.35)), measure(lesion(radius=0.49))
    assert cut.cut > 0.2 and filling.cut < 0.05


@pytest.mark.parametrize(("rows", "cells"), [(2, 4), (3, 36)])
def test_what_lies_in_the_middle_counts_eight_times(rows: int, cells: int) -> None:
    """Four dark cells in the middle weigh as 32; a patch of 24 outside it weighs less, one of 36 more."""
    image = np.full((32, 32, 3), 200, np.uint8)
    image[15:17, 15:17] = 50
    image[4 : 4 + rows, 10:22] = 50
    y, x = np.indices((32, 32)) * 2 - 31
    assert measure(image).area == pytest.approx(cells / int((x * x + y * y <= 32 * 32).sum()))


def test_black_corners_are_no_lesion() -> None:
    y, x = (np.indices((160, 160)) - 79.5) / 80
    framed = np.where(np.hypot(x, y)[..., None] > 1.08, 0, lesion())
    assert measure(framed.astype(np.uint8)).offset < 0.02


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"focus": 1.0}, "blurred"),
        ({"luminance": 20.0}, "too_dark"),
        ({"shadows": 0.5}, "too_dark"),
        ({"luminance": 250.0}, "too_bright"),
        ({"highlights": 0.9}, "too_bright"),
        ({"area": 0.0, "cut": 1.0, "offset": 1.0}, "no_lesion"),
        ({"contrast": 1.0}, "no_lesion"),
        ({"cut": 0.5}, "lesion_cut"),
        ({"offset": 0.9}, "off_centre"),
    ],
)
def test_each_fault_has_its_advice_alone(change: dict[str, float], code: str) -> None:
    good = measure(lesion())
    within = limits([good])
    assert advice(good, within) == ()
    assert advice(dataclasses.replace(good, **change), within) == (code,)
    assert code in ADVICE


def test_limits_let_the_share_pass_that_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    some = [Quality(*rng.uniform(0.6, 1, 8)) for _ in range(2000)]
    for field in dataclasses.fields(Limits):
        one = dataclasses.replace(WIDE, **{field.name: getattr(limits(some, 0.95), field.name)})
        assert np.mean([advice(q, one) == () for q in some]) == pytest.approx(0.95, abs=0.002), field.name


def test_limits_accept_what_the_data_are_full_of() -> None:
    cut = [measure(lesion(centre=(0.95, 0.5), radius=r)) for r in np.linspace(0.25, 0.35, 20)]
    within = limits(cut, 1.0)
    assert all(advice(q, within) == () for q in cut)


def test_limits_of_immaculate_images_stay_lenient() -> None:
    within = limits([measure(lesion())])
    assert vars(within).items() >= quality.LENIENT.items()
    assert not {"lesion_cut", "off_centre"} & set(advice(measure(lesion(centre=(0.6, 0.5))), within))


def test_a_guide_counts_what_it_flags() -> None:
    measured = [measure(lesion(centre=(0.5 + i / 60, 0.5))) for i in range(20)]
    made = quality.guide(measured, 0.9)
    codes = [advice(quality_of_image, made.limits) for quality_of_image in measured]
    counts = made.flagged_in_validation
    assert made.limits == limits(measured, 0.9) and set(made.advice) == set(ADVICE)
    assert counts["images"] == 20 and counts["any"] == sum(map(bool, codes)) > 0
    assert {code: sum(code in each for each in codes) for code in ADVICE} == {code: counts[code] for code in ADVICE}


@pytest.mark.data
def test_real_lesions_pass_and_spoilt_ones_do_not(ham10000) -> None:
    paths = sorted((ham10000 / "images").glob("*.jpg"))[::100]
    images = [load_pixels(path, 160) for path in paths]
    within = limits([measure(image) for image in images])

    def share(code: str, spoilt: list[np.ndarray]) -> float:
        return float(np.mean([code in advice(measure(image), within) for image in spoilt]))

    assert share("blurred", images) <= 0.02 and share("off_centre", images) <= 0.02
    assert share("blurred", [blurred(image, 2.5) for image in images]) > 0.9
    assert share("too_dark", [image // 3 for image in images]) > 0.9
    for image in images[:20]:
        values = [measure(blurred(image, radius)).focus for radius in (0, 1, 2, 3)]
        assert values == sorted(values, reverse=True)
