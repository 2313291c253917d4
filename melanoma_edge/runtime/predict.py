"""What every runtime gives back: a loaded network that takes uint8 pixels and answers with float32 logits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.errors import InputError

Logits = NDArray[np.float32]
Layout = Literal["NCHW", "NHWC"]
Shape = Sequence[int | str | None]
Ends = Sequence[tuple[str, Shape, str]]  # name, shape, dtype


@dataclass(frozen=True)
class Predict:
    """A network in one runtime. It normalises and transposes for itself; memory is bounded by `batch` images."""

    runtime: str  # the package that runs it, e.g. "onnxruntime"
    version: str
    device: str  # "cpu" or the name of the GPU
    threads: int
    spec: Preprocessing
    batch: int  # images the network takes in one run
    layout: Layout
    prepare: Callable[[NDArray[np.float32]], Callable[[], Logits]]
    """Puts a network input (float32, up to `batch` images in `layout`) in place; the result runs the network on it."""

    def __call__(self, pixels: NDArray[np.uint8]) -> Logits:
        """uint8 `[N, S, S, 3]`, a memory map too, to float32 logits `[N, K]`.

        Raises InputError when the array is not images of the network's size, or holds none.
        """
        self._check(pixels)
        starts = range(0, len(pixels), self.batch)
        return np.concatenate([self.prepare(self._input(pixels[s : s + self.batch]))() for s in starts])

    def prepared(self, image: NDArray[np.uint8]) -> Callable[[], Logits]:
        """A call that runs the network alone on one uint8 `[S, S, 3]` image, for timing: its input stands ready."""
        self._check(image[np.newaxis])
        return self.prepare(self._input(image[np.newaxis]))

    def _input(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = normalize(np.asarray(pixels), self.spec)
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2) if self.layout == "NCHW" else batch)

    def _check(self, pixels: NDArray[np.uint8]) -> None:
        size = self.spec.size
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (size, size, 3) or not len(pixels):
            raise InputError(
                f"the network takes uint8 pixels of shape [N, {size}, {size}, 3], N at least 1: "
                f"got {pixels.dtype} {list(pixels.shape)}"
            )


def agree(path: Path, inputs: Ends, outputs: Ends, layout: Layout, spec: Preprocessing | None) -> Preprocessing:
    """`spec`, or the default one of the file's own size, if the file takes one such image and gives two logits or more.

    The batch may be 1 or left open, which a file says with a name, None or -1. Raises InputError otherwise.
    """
    side = spec.size if spec else _side(inputs)
    image = [3, side, side] if layout == "NCHW" else [side, side, 3]
    if len(inputs) == len(outputs) == 1:
        (_, given, taken), (_, answer, made) = inputs[0], outputs[0]
        classes = answer[1] if len(answer) == 2 and _one_or_open(answer[0]) else None
        takes_image = list(given[1:]) == image and _one_or_open(given[0]) and taken == "float32"
        if takes_image and isinstance(side, int) and isinstance(classes, int) and classes > 1 and made == "float32":
            return spec or Preprocessing(side)
    found, gives = (" and ".join(f"{d} {n} {_shown(s)}" for n, s, d in ends) for ends in (inputs, outputs))
    raise InputError(
        f"{path} takes {found} and gives {gives}; accepted is float32 {_shown([1, *image])} to float32 logits "
        "[1, K], K >= 2"
    )


def _side(inputs: Ends) -> int | str | None:
    """The third dimension of the first input: rows in NCHW, columns in NHWC; "S" when it is not a number."""
    shape = inputs[0][1] if inputs else ()
    return shape[2] if len(shape) == 4 and isinstance(shape[2], int) else "S"


def _shown(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _one_or_open(batch: int | str | None) -> bool:
    return not isinstance(batch, int) or batch in (1, -1)
