"""What the capture quality flags: photographs as they are, and photographs that were spoilt on purpose.

    .venv/bin/python benchmarks/capture_quality.py ../shared/data/ham10000   # prints docs/results/capture_quality.md

Limits come from the validation images, figures from the test images. Nothing is trained.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from melanoma_edge.cores import usable_cores
from melanoma_edge.data import perturb, quality
from melanoma_edge.data.open import open_dataset
from melanoma_edge.data.perturb import Perturbation
from melanoma_edge.data.preprocess import pixels
from melanoma_edge.data.quality import Quality
from melanoma_edge.data.task import TASKS

SIZE = 160
Pixels = np.typing.NDArray[np.uint8]
Spoil = Callable[[Image.Image], Pixels]
CODES = tuple(quality.ADVICE)


def changed(kind: str, strength: float) -> Spoil:
    """A change of `data.perturb`."""
    change = Perturbation(kind, strength)
    return lambda image: perturb.perturbed(perturb.photograph(image, SIZE), SIZE, change, (0,))


def cropped(left: float, top: float, side: float) -> Spoil:
    """A square of the whole photograph; all three in parts of its shorter side."""

    def crop(image: Image.Image) -> Pixels:
        short = min(image.size)
        x, y, width = (round(part * short) for part in (left, top, side))
        return pixels(image.crop((x, y, x + width, y + width)), SIZE)

    return crop


# Photographers centre the lesion, so a corner holds a cut lesion or none.
SPOILT: dict[str, Spoil] = {
    "as they are": lambda image: pixels(image, SIZE),
    **{f"blur, {percent:g} % of the side": changed("blur", percent) for percent in (0.5, 1, 2)},
    **{f"{factor:g} times the light": changed("brightness", factor) for factor in (0.3, 0.5, 1.5, 2)},
    **{f"JPEG, quality {number:g}": changed("jpeg", number) for number in (75, 30)},
    "half of the frame's side, from its corner": cropped(0, 0, 0.5),
    "half of the frame's side, right of the middle": cropped(0.67, 0.25, 0.5),
    "a fifth of the frame's side, from its corner": cropped(0, 0, 0.2),
}


def measured(paths: Sequence[Path], spoil: Spoil) -> list[Quality]:
    """The measures of each image, spoilt."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(partial(_one, spoil), paths))


def _one(spoil: Spoil, path: Path) -> Quality:
    with Image.open(path) as image:
        return quality.measure(spoil(image.convert("RGB")))


def table(rows: dict[str, list[tuple[str, ...]]]) -> str:
    """Shares of images with each advice, in Markdown."""
    lines = [f"| test images | any | {' | '.join(CODES)} |", f"| --- |{' ---: |' * (len(CODES) + 1)}"]
    for name, advice in rows.items():
        shares = [np.mean(list(map(bool, advice))), *(np.mean([code in said for said in advice]) for code in CODES)]
        lines.append(f"| {name} | {' | '.join(f'{share:.1%}' for share in shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the limits and the table."""
    dataset = open_dataset(f"ham10000:{sys.argv[1]}", TASKS["binary"], seed=0)
    paths = {split: [sample.path for sample in dataset.split(split)] for split in ("val", "test")}
    within = quality.limits(measured(paths["val"], SPOILT["as they are"]))
    rows = {
        name: [quality.advice(measures, within) for measures in measured(paths["test"], spoil)]
        for name, spoil in SPOILT.items()
    }
    limits = ", ".join(f"{name} {value:.4g}" for name, value in vars(within).items())
    counts = f"{len(paths['val'])} validation images give the limits, {len(paths['test'])} test images follow"
    print(f"{SIZE} pixels; {counts}.\n")
    print(f"Limits: {limits}.\n\n{table(rows)}")


if __name__ == "__main__":
    main()
