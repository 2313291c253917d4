"""Writes a graph as a file of each format, the way that format's runtime runs it fastest."""

from pathlib import Path

import onnx_ir as ir

from melanoma_edge.export import passes
from melanoma_edge.export.emit import emit
from melanoma_edge.tflite.metadata import About


def write(model: ir.Model, path: Path, *, about: About | None = None) -> None:
    """Write `model`, float32 or quantised, which stays as it is, to a .tflite or .onnx file.

    about: what a .tflite file tells of itself. Raises ValueError for another suffix, UnsupportedOperatorError as
    `tflite.emit` does.
    """
    if path.suffix == ".tflite":
        emit(model, path, name=path.stem, about=about)
    elif path.suffix == ".onnx":
        model = model.clone()
        passes.apply(model, "onnxruntime")
        ir.save(model, path)
    else:
        raise ValueError(f"{path.name}: written are .tflite and .onnx")
