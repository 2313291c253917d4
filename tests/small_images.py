"""A folder of small pictures of two classes, and what the data stage makes of it: seconds, whatever stage is tested."""

from pathlib import Path

import numpy as np
from PIL import Image

from melanoma_edge.data.prepared import Images
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.stages import data as data_stage

SIZE = 16  # of small_network, too


def lesions(folder: Path, count: int = 24) -> Path:
    """`count` pictures a class, 20 x 18 pixels; melanomas are darker on average than the rest."""
    for number, (name, level) in enumerate((("melanoma", 90), ("nv", 150))):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            rng = np.random.default_rng((number, i))
            pixels = rng.normal(level + rng.normal(0, 25), 40, (18, 20, 3))
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def prepared(work: Path, folder: Path, *, train: bool = False, **options: object) -> Images:
    """The data stage in `work`; options: of DataOptions."""
    given = DataOptions(f"folder:{folder}", **options)  # type: ignore[arg-type]
    return data_stage.prepare(work, given, size=SIZE, train=train, progress=silent)
