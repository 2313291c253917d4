"""LiteRT (TensorFlow Lite): Android, iOS, embedded Linux, and LiteRT.js in browsers."""

from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_edge.formats import Format, Runtime

if TYPE_CHECKING:
    import onnx_ir as ir

    from melanoma_edge.tflite.metadata import About


def _write(model: "ir.Model", path: Path, about: "About | None") -> None:
    from melanoma_edge.export.emit import emit

    emit(model, path, name=path.stem, about=about)


def _engine() -> Runtime:
    from melanoma_edge.runtime import litert

    return litert


FORMAT = Format(
    name="tflite",
    suffix=".tflite",
    library="litert",
    runtime="litert",
    in_browser="litert-web",
    package="ai-edge-litert",
    write=_write,
    engine=_engine,
)
