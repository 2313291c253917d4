"""A folder of small pictures of two classes, and what the data stage makes of it: seconds, whatever stage is tested."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnx_graphs import Builder
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


def darkness() -> ir.Model:
    """A network that tells the two classes apart as they are drawn, rightly for nine in ten."""
    b = Builder((1, 3, SIZE, SIZE))
    weights = np.full((4, 3, 3, 3), 1 / 27) * np.array([1, 0.5, 2, -1]).reshape(4, 1, 1, 1)
    x = b.op("Conv", b.image, b.const(weights), b.const([1, 1, 1, 1]), kernel_shape=[3, 3])
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", x)))
    rows = np.array([[2, 1, 2, -2], [-2, -1, -2, 2]])
    return b.done(b.op("Gemm", x, b.const(rows), b.const([-3.0, 3.0]), transB=1))
