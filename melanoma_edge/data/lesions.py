"""Procedural dermoscopy-like lesions: pictures to build and test with, never to be taken for patients.

The classes differ in what dermatologists grade with the ABCD rule (Nachbar et al., J Am Acad Dermatol 30:551, 1994):
asymmetry, border, colour, diameter; and in structures such as a pigment network, globules, cysts, vessels and lacunae.
The grades of melanoma and of naevi overlap on purpose, so that no network can be perfect.

A lesion is a map of transmittance (what share of the skin's light comes back) and of opacity on a square canvas; a view
puts it on skin, turned and shifted, under uneven light, with hairs, a vignette, blur and sensor noise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
Colour = Sequence[float] | NDArray[np.float64]

WIDTH, HEIGHT = 200, 150  # of an image, in pixels
CANVAS = 192  # side of the square a lesion is drawn on, in pixels
# Transmittance of red, green and blue for the colours that dermoscopy knows.
TAN, BROWN, DARK = (0.86, 0.70, 0.56), (0.62, 0.44, 0.32), (0.36, 0.25, 0.21)
BLACK, BLUE_GREY, RED = (0.18, 0.15, 0.17), (0.48, 0.53, 0.64), (0.88, 0.50, 0.50)
WHITE, PURPLE, YELLOW = (1.06, 1.13, 1.20), (0.52, 0.24, 0.34), (0.98, 0.88, 0.66)
_CEILING = 1.25  # the largest transmittance that a canvas can hold


@dataclass(frozen=True)
class Lesion:
    """What a lesion looks like before it is drawn. The four ABCD grades are 0 to 1; `key` seeds its random details."""

    diagnosis: str
    asymmetry: float
    border: float
    colour: float
    diameter: float
    skin: float  # 0 very light to 1 dark
    key: tuple[int, ...]


@dataclass(frozen=True)
class Canvas:
    """A lesion in its own coordinates: float32 arrays `[CANVAS, CANVAS]`, `transmittance` with a last axis of 3."""

    transmittance: Floats
    opacity: Floats  # 0 on skin to 1 inside
    depth: Floats  # 1 at the centre, 0 at the border, negative outside


def draw_lesion(diagnosis: str, key: tuple[int, ...]) -> Lesion:
    """A random lesion of a diagnosis: its grades scatter around the diagnosis' own mean."""
    rng = np.random.default_rng(key)
    mean, spread = _SEVERITY[diagnosis]
    severity = rng.normal(mean, spread)
    asymmetry, border, colour, diameter = np.clip(rng.normal(severity, 0.16, 4), 0.0, 1.0).tolist()
    return Lesion(diagnosis, asymmetry, border, colour, diameter, skin=rng.beta(1.3, 3.2), key=(*key, 1))


def paint(lesion: Lesion) -> Canvas:
    """Draw a lesion. The same lesion gives the same canvas."""
    rng = np.random.default_rng(lesion.key)
    canvas = _body(lesion, rng)
    return _STRUCTURES[lesion.diagnosis](canvas, lesion, rng)


def photograph(lesion: Lesion, canvas: Canvas, view: int) -> NDArray[np.uint8]:
    """View number `view` of a painted lesion as uint8 RGB `[HEIGHT, WIDTH, 3]`. The same view gives the same pixels."""
    rng = np.random.default_rng((*lesion.key, view))
    layer = _turned(canvas, rng)
    opacity = layer[..., 3:]
    scene = _skin(lesion.skin, rng) * (1.0 - opacity + opacity * layer[..., :3] * _CEILING)
    scene = _with_hairs(np.clip(scene, 0.0, 1.0), rng)
    scene = _exposed(scene, rng)
    blurred = _to_image(scene).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    noise = rng.normal(0.0, rng.uniform(1.0, 3.0), (HEIGHT, WIDTH, 3))
    return np.clip(np.asarray(blurred) + noise, 0, 255).round().astype(np.uint8)


def _body(lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Outline, opacity and pigment of the lesion before its diagnosis adds structures."""
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32) - np.float32(CANVAS / 2)
    angle, distance = np.arctan2(y, x), np.hypot(x, y)
    ragged = 0.03 * _cloud(rng, 8) + 0.05 * lesion.border * _cloud(rng, 20)
    radius = _outline(angle, lesion, rng) * (1.0 + ragged)
    depth = (1.0 - distance / radius).astype(np.float32)
    # A melanoma ends abruptly here and fades there; a naevus fades evenly.
    softness = 11.0 - 4.0 * lesion.border + 5.0 * lesion.border * np.cos(angle + np.float32(rng.uniform(0, 6.28)))
    opacity = _smoothstep((radius - distance) / np.maximum(softness, 1.5))
    base = _mix(TAN, BROWN, rng.uniform(0.45, 1.0))
    amount = rng.uniform(0.55, 0.95) + 0.55 * np.clip(depth, 0, 1) * rng.uniform(0.2, 1.0)
    amount = amount * (1.0 + (0.05 + 0.15 * lesion.colour) * _cloud(rng, 6) + 0.06 * _cloud(rng, 60))
    transmittance = np.exp(np.log(base) * np.maximum(amount, 0.05)[..., None])
    return Canvas(transmittance.astype(np.float32), opacity.astype(np.float32), depth)


def _outline(angle: Floats, lesion: Lesion, rng: np.random.Generator) -> Floats:
    """Radius in pixels in each direction: low harmonics make it asymmetric, high ones make its border ragged."""
    orders = np.arange(1, 13)
    grades = np.where(orders < 4, 0.03 + 0.17 * lesion.asymmetry, (0.008 + 0.045 * lesion.border) * (4 / orders) ** 1.3)
    grades[2:6] *= 0.55  # three to six even lobes look like a clover, not like a lesion
    sizes, phases = rng.normal(0.0, grades), rng.uniform(0, 2 * np.pi, 12)
    steps = np.linspace(-np.pi, np.pi, 721)
    radius = 1.0 + (sizes * np.cos(steps[:, None] * orders + phases)).sum(axis=1)
    mean = np.clip(30.0 + 28.0 * lesion.diameter + rng.normal(0.0, 3.5), 20.0, 58.0)
    around = (np.clip(radius, 0.4, 1.55) * mean).astype(np.float32)
    turn: Floats = around[((angle + np.pi) * (720 / (2 * np.pi))).astype(np.intp)]
    return turn


def _melanoma(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    canvas = _network(canvas, rng, strength=rng.uniform(0.1, 0.45), regularity=1.0 - lesion.colour)
    return _patches(_globules(canvas, rng, 4 + int(22 * lesion.border), DARK), lesion, rng)


def _naevus(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    if rng.random() < 0.65:
        canvas = _network(canvas, rng, strength=rng.uniform(0.1, 0.45), regularity=1.0 - 0.6 * lesion.colour)
    else:
        canvas = _globules(canvas, rng, int(rng.integers(8, 40)), BROWN)
    return _patches(canvas, lesion, rng)


def _keratosis(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Seborrhoeic: waxy and well demarcated, with bright cysts and dark comedo-like openings."""
    waxy = _stained(canvas, YELLOW, np.full_like(canvas.opacity, rng.uniform(0.1, 0.45)))
    waxy = Canvas(waxy.transmittance, _smoothstep(canvas.opacity * 2.0), canvas.depth)
    waxy = _globules(waxy, rng, int(rng.integers(2, 14)), DARK)
    waxy = _globules(waxy, rng, int(rng.integers(3, 18)), WHITE)
    return _patches(waxy, lesion, rng)


def _basal(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Basal cell carcinoma: pink and pale, blue-grey nests, branching vessels."""
    pale = _stained(canvas, _mix(RED, WHITE, rng.uniform(0.3, 0.8)), np.full_like(canvas.opacity, 0.75))
    nests = _globules(pale, rng, int(rng.integers(2, 10)), BLUE_GREY, size=(3.0, 8.0))
    return _vessels(nests, rng, int(rng.integers(2, 6)))


def _actinic(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Actinic keratosis: red, faint at the border, with white scale."""
    red = _stained(canvas, RED, np.full_like(canvas.opacity, rng.uniform(0.6, 0.9)))
    red = Canvas(red.transmittance, canvas.opacity * np.float32(rng.uniform(0.5, 0.85)), canvas.depth)
    scale = _smoothstep((_cloud(rng, 22) - rng.uniform(0.2, 0.9)) * 0.9) * 0.75
    return _globules(_stained(red, WHITE, scale), rng, int(rng.integers(10, 40)), (0.8, 0.36, 0.36), size=(1.0, 2.2))


def _fibroma(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Dermatofibroma: a white scar in the middle of a delicate network."""
    netted = _network(canvas, rng, strength=rng.uniform(0.08, 0.2), regularity=0.9)
    tan = _stained(netted, TAN, np.full_like(canvas.opacity, 0.55))
    scar = _smoothstep((canvas.depth - rng.uniform(0.25, 0.45) + 0.10 * _cloud(rng, 12)) * 1.8)
    return _stained(tan, _mix(WHITE, RED, rng.uniform(0.0, 0.35)), scar * rng.uniform(0.5, 0.85))


def _vascular(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Angioma: red to purple lacunae, sharply bounded."""
    blood = _mix(RED, PURPLE, rng.uniform(0.2, 0.9))
    ground = _stained(canvas, _mix(RED, WHITE, 0.15), np.full_like(canvas.opacity, 0.85))
    return _globules(ground, rng, int(rng.integers(12, 40)), blood, size=(3.0, 8.0))


def _patches(canvas: Canvas, lesion: Lesion, rng: np.random.Generator) -> Canvas:
    """Areas of further colours, more of them the higher the colour grade, lying to one side with the asymmetry."""
    y, x = np.mgrid[-1 : 1 : CANVAS * 1j, -1 : 1 : CANVAS * 1j].astype(np.float32)
    for colour in rng.permutation(np.array([DARK, BLACK, BLUE_GREY, RED, _mix(WHITE, BLUE_GREY, 0.3), BROWN])):
        if rng.random() > 0.75 * lesion.colour**2:
            continue
        side = rng.uniform(0, 2 * np.pi)
        slope = 2.2 * lesion.asymmetry * (np.cos(side) * x + np.sin(side) * y)
        lumps = _cloud(rng, 5) + 0.25 * _cloud(rng, 24)
        area = _smoothstep((lumps + slope - rng.uniform(0.2, 0.9)) * rng.uniform(0.4, 1.0))
        canvas = _stained(canvas, colour, area * rng.uniform(0.4, 0.8))
    return canvas


def _network(canvas: Canvas, rng: np.random.Generator, *, strength: float, regularity: float) -> Canvas:
    """A honeycomb of darker lines, bent and broken where it is irregular."""
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32)
    bend = np.float32(0.6 + 3.0 * (1.0 - regularity))
    x, y = x + bend * _cloud(rng, 14), y + bend * _cloud(rng, 14)
    turn, wave = rng.uniform(0, np.pi), np.float32(2 * np.pi / rng.uniform(4.6, 7.0))
    cells = np.zeros_like(x)
    for direction in turn + np.arange(3) * (np.pi / 3):
        cells += np.cos(wave * (np.float32(np.cos(direction)) * x + np.float32(np.sin(direction)) * y))
    lines = _smoothstep((0.4 - cells) / 1.6)
    present = _smoothstep(0.9 + _cloud(rng, 5) * np.float32(1.2 * (1.0 - regularity))) * np.clip(canvas.depth * 4, 0, 1)
    fading = 1.0 - np.float32(0.5) * np.clip(canvas.depth, 0, 1)
    return _stained(canvas, DARK, lines * present * fading * (strength * 1.6))


def _globules(
    canvas: Canvas,
    rng: np.random.Generator,
    count: int,
    colour: Colour,
    size: tuple[float, float] = (1.0, 2.6),
) -> Canvas:
    """Round spots of one colour inside the lesion; size is the range of their radii in pixels."""
    inside = np.argwhere(canvas.depth > 0.08)
    mask = Image.new("L", (2 * CANVAS, 2 * CANVAS))
    pen = ImageDraw.Draw(mask)
    for y, x in inside[rng.integers(0, len(inside), count)]:
        radius, flat = 2 * rng.uniform(*size), rng.uniform(0.75, 1.25)
        box = (2 * x - radius * flat, 2 * y - radius / flat, 2 * x + radius * flat, 2 * y + radius / flat)
        pen.ellipse(box, fill=int(rng.integers(110, 230)))
    return _stained(canvas, colour, _shrunk(mask, CANVAS, CANVAS))


def _vessels(canvas: Canvas, rng: np.random.Generator, count: int) -> Canvas:
    """Branching red lines that grow from the border inwards."""
    mask = Image.new("L", (2 * CANVAS, 2 * CANVAS))
    pen = ImageDraw.Draw(mask)
    border = np.argwhere(np.abs(canvas.depth - 0.15) < 0.1)
    for y, x in border[rng.integers(0, len(border), count)]:
        heading = np.arctan2(CANVAS / 2 - y, CANVAS / 2 - x)
        for _ in range(int(rng.integers(2, 5))):
            _line(pen, rng, (2 * x, 2 * y), heading + rng.normal(0, 0.5), rng.uniform(15, 55), width=2, fill=190)
    return _stained(canvas, (0.80, 0.30, 0.32), _shrunk(mask, CANVAS, CANVAS))


def _line(
    pen: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    start: tuple[float, float],
    heading: float,
    length: float,
    *,
    width: int,
    fill: int,
) -> None:
    """A line that bends as it goes, in pixels of the mask."""
    bend = rng.normal(0.0, 0.6)
    along = np.linspace(0.0, 1.0, 14)
    angles = heading + bend * along + np.cumsum(rng.normal(0.0, 0.06, along.size))
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * length / along.size
    points = np.asarray(start) + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    pen.line([(float(px), float(py)) for px, py in points], fill=fill, width=width, joint="curve")


def _turned(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """The canvas as float32 `[HEIGHT, WIDTH, 4]` (transmittance / _CEILING, opacity), turned, scaled and shifted."""
    layers: Floats = np.concatenate([canvas.transmittance / _CEILING, canvas.opacity[..., None]], axis=2)
    angle, zoom = rng.uniform(0, 2 * np.pi), 1.0 / rng.uniform(0.88, 1.14)
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    x = WIDTH / 2 + rng.normal(0, 7.0)
    y = HEIGHT / 2 + rng.normal(0, 5.0)
    matrix = (cosine, -sine, CANVAS / 2 - cosine * x + sine * y, sine, cosine, CANVAS / 2 - sine * x - cosine * y)
    view = _to_image(layers).transform((WIDTH, HEIGHT), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(view, np.float32) / np.float32(255)


def _skin(tone: float, rng: np.random.Generator) -> Floats:
    """Bare skin, float32 `[HEIGHT, WIDTH, 3]` of 0 to 1: mottled, with fine furrows."""
    light, dark = np.array([0.93, 0.76, 0.70]), np.array([0.55, 0.38, 0.30])
    colour: NDArray[np.float64] = light + tone * (dark - light) + rng.normal(0.0, 0.012, 3)
    blotches = 0.018 * _cloud(rng, 5, (HEIGHT, WIDTH)) + 0.012 * _cloud(rng, 45, (HEIGHT, WIDTH))
    flush = 0.015 * _cloud(rng, 7, (HEIGHT, WIDTH))
    skin: NDArray[np.float64] = colour * (1.0 + blotches[..., None]) - flush[..., None] * np.array([0.2, 1.0, 0.8])
    return skin.astype(np.float32)


def _with_hairs(scene: Floats, rng: np.random.Generator) -> Floats:
    """A third of the images have hairs, a few of them many."""
    count = int(rng.choice([0, int(rng.integers(1, 5)), int(rng.integers(5, 18))], p=[0.66, 0.24, 0.10]))
    if not count:
        return scene
    mask = Image.new("L", (2 * WIDTH, 2 * HEIGHT))
    pen = ImageDraw.Draw(mask)
    main = rng.uniform(0, 2 * np.pi)
    for _ in range(count):
        start = (rng.uniform(0, 2 * WIDTH), rng.uniform(0, 2 * HEIGHT))
        width, fill = int(rng.integers(1, 4)), int(rng.integers(150, 245))
        _line(pen, rng, start, main + rng.normal(0, 0.5), rng.uniform(90, 380), width=width, fill=fill)
    cover = _shrunk(mask, WIDTH, HEIGHT)[..., None]
    hair = _mix((0.10, 0.07, 0.06), (0.45, 0.32, 0.20), rng.beta(1, 2.5))
    return (scene * (1 - cover) + cover * hair).astype(np.float32)


def _exposed(scene: Floats, rng: np.random.Generator) -> Floats:
    """Uneven light, white balance, and the dark round edge of a dermatoscope in a quarter of the images."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
    side = rng.uniform(0, 2 * np.pi)
    light: Floats = 1.0 + rng.uniform(0, 0.08) * (np.cos(side) * x + np.sin(side) * y)
    away = np.hypot(x * WIDTH / HEIGHT, y)
    light = light * (1.0 - rng.uniform(0.02, 0.16) * (away / 1.67) ** 2)
    if rng.random() < 0.25:
        light = light * _smoothstep((rng.uniform(1.08, 1.5) - away) / rng.uniform(0.05, 0.25))
    balance = rng.normal(rng.normal(1.0, 0.05), 0.02, 3)
    return np.clip(scene * light[..., None] * balance, 0.0, 1.0).astype(np.float32)


def _stained(canvas: Canvas, colour: Colour, weight: NDArray[np.floating]) -> Canvas:
    """The canvas mixed with a colour by weight (0 to 1, `[CANVAS, CANVAS]`)."""
    part = np.clip(weight, 0.0, 1.0)[..., None]
    mixed = canvas.transmittance * (1.0 - part) + part * np.asarray(colour, np.float32)
    return Canvas(np.clip(mixed, 0.0, _CEILING).astype(np.float32), canvas.opacity, canvas.depth)


def _cloud(rng: np.random.Generator, cells: int, shape: tuple[int, int] = (CANVAS, CANVAS)) -> Floats:
    """Smooth noise of about unit variance with `cells` lumps along an axis."""
    grid = Image.fromarray(rng.normal(0.0, 1.25, (cells + 3, cells + 3)).astype(np.float32))
    return np.asarray(grid.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), np.float32)


def _mix(first: Colour, second: Colour, share: float) -> NDArray[np.float64]:
    """Colour between first (share 0) and second (share 1)."""
    return np.asarray(first) * (1.0 - share) + np.asarray(second) * share


def _smoothstep(x: NDArray[np.floating]) -> Floats:
    clipped = np.clip(x.astype(np.float32), 0.0, 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def _shrunk(mask: Image.Image, width: int, height: int) -> Floats:
    """A mask drawn at twice the size, as float32 0 to 1."""
    return np.asarray(mask.resize((width, height), Image.Resampling.BOX), np.float32) / np.float32(255)


def _to_image(array: Floats) -> Image.Image:
    return Image.fromarray((np.clip(array, 0.0, 1.0) * 255).round().astype(np.uint8))


# Mean and spread of the severity that all four ABCD grades of a lesion share.
_SEVERITY = {
    "mel": (0.68, 0.15),
    "nv": (0.30, 0.15),
    "bkl": (0.38, 0.15),
    "bcc": (0.40, 0.15),
    "akiec": (0.40, 0.15),
    "df": (0.20, 0.12),
    "vasc": (0.22, 0.12),
}
_STRUCTURES: dict[str, Callable[[Canvas, Lesion, np.random.Generator], Canvas]] = {
    "mel": _melanoma,
    "nv": _naevus,
    "bkl": _keratosis,
    "bcc": _basal,
    "akiec": _actinic,
    "df": _fibroma,
    "vasc": _vascular,
}
