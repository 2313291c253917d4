"""What every runtime gives back: a loaded network that takes uint8 pixels and answers with float32 logits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.artifact import HEAT_MAP
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.errors import InputError

Logits = NDArray[np.float32]
HeatMap = NDArray[np.float32]
Layout = Literal["NCHW", "NHWC"]
Shape = Sequence[int | str | None]
MAPS: dict[Layout, Shape] = {"NCHW": (1, 1, "h", "w"), "NHWC": (1, "h", "w", 1)}
CHANNEL: dict[Layout, int] = {"NCHW": 1, "NHWC": 3}
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
    explain: Callable[[NDArray[np.float32]], HeatMap] | None = None
    """A network input to heat maps `[n, h, w]`; None for a file that was built without them."""

    def __call__(self, pixels: NDArray[np.uint8]) -> Logits:
        """uint8 `[N, S, S, 3]`, a memory map too, to float32 logits `[N, K]`.

        Raises InputError when the array is not images of the network's size, or holds none.
        """
        self._check(pixels)
        starts = range(0, len(pixels), self.batch)
        return np.concatenate([self.prepare(self._input(pixels[s : s + self.batch]))() for s in starts])

    def heat_map(self, pixels: NDArray[np.uint8]) -> HeatMap:
        """uint8 `[N, S, S, 3]` to float32 `[N, h, w]`: above 0 where it sees melanoma, below where it does not.

        Row 0 is the top of the image and column 0 its left. `export.heat_map` says what the numbers are. Raises
        InputError as a call does, and for a file without heat maps.
        """
        self._check(pixels)
        if self.explain is None:
            raise InputError(f"the file gives no {HEAT_MAP}: build it with --heat-map")
        starts = range(0, len(pixels), self.batch)
        return np.concatenate([self.explain(self._input(pixels[s : s + self.batch])) for s in starts])

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

    A second output may be a heat map, one value a place. The batch may be 1 or left open, which a file says with a
    name, None or -1. Raises InputError otherwise.
    """
    side = spec.size if spec else _side(inputs)
    image = [3, side, side] if layout == "NCHW" else [side, side, 3]
    if len(inputs) == 1 and len(outputs) in (1, 2) and all(_is_heat_map(further, layout) for further in outputs[1:]):
        (_, given, taken), (_, answer, made) = inputs[0], outputs[0]
        classes = answer[1] if len(answer) == 2 and _one_or_open(answer[0]) else None
        takes_image = list(given[1:]) == image and _one_or_open(given[0]) and taken == "float32"
        if takes_image and isinstance(side, int) and isinstance(classes, int) and classes > 1 and made == "float32":
            return spec or Preprocessing(side)
    found, gives = (" and ".join(f"{d} {n} {_shown(s)}" for n, s, d in ends) for ends in (inputs, outputs))
    raise InputError(
        f"{path} takes {found} and gives {gives}; accepted is float32 {_shown([1, *image])} to float32 logits "
        f"[1, K], K >= 2, and perhaps float32 {HEAT_MAP} {_shown(MAPS[layout])} behind them"
    )


def _is_heat_map(output: tuple[str, Shape, str], layout: Layout) -> bool:
    name, shape, kind = output
    single = len(shape) == 4 and shape[CHANNEL[layout]] == 1 and _one_or_open(shape[0])
    return name == HEAT_MAP and single and kind == "float32"


def _side(inputs: Ends) -> int | str | None:
    """The third dimension of the first input: rows in NCHW, columns in NHWC; "S" when it is not a number."""
    shape = inputs[0][1] if inputs else ()
    return shape[2] if len(shape) == 4 and isinstance(shape[2], int) else "S"


def _shown(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _one_or_open(batch: int | str | None) -> bool:
    return not isinstance(batch, int) or batch in (1, -1)
