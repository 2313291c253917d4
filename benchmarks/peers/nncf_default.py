"""NNCF's post-training quantisation of an ONNX network, with its defaults (fast bias correction)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGES = ("nncf",)
FORMAT = "onnx"


def convert_onnx(onnx: Path, images: NDArray[np.float32], path: Path) -> None:
    """Write `path` from an .onnx file; images: float32 `[N, 3, S, S]` for calibration, normalised."""
    import nncf
    from onnx import load, save

    dataset = nncf.Dataset([{"image": image[np.newaxis]} for image in images])
    save(nncf.quantize(load(onnx), dataset, subset_size=len(images)), path)
