from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder

from melanoma_edge.export.emit import emit

SIZE = 32


def network(size: int = SIZE, classes: int = 2) -> ir.Model:
    """A classifier of a few hundred parameters that tells channels, rows and columns apart."""
    b = Builder((1, 3, size, size))
    x = b.op("Relu", b.conv(b.image, 6, 3, strides=[2, 2]))
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(x, 8, 3))))
    return b.done(b.linear(x, classes))


@pytest.fixture(scope="session")
def onnx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    ir.save(network(), path)
    return path


@pytest.fixture(scope="session")
def tflite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tflite") / "tiny.tflite"
    emit(network(), path, name="tiny")
    return path


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
