"""onnx2tf's integer TFLite file that takes and gives float32, as ours do: the same work is timed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from peers import onnx2tf_static

PACKAGES = onnx2tf_static.PACKAGES
FORMAT = onnx2tf_static.FORMAT
version = onnx2tf_static.version


def convert_onnx(onnx: Path, images: NDArray[np.float32], path: Path) -> None:
    """Write `path` from an .onnx file; images: float32 `[N, 3, S, S]` for calibration, normalised."""
    onnx2tf_static.convert_onnx(onnx, images, path, "integer_quant")
