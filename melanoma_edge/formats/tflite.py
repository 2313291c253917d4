"""LiteRT (TensorFlow Lite): Android, iOS, embedded Linux, and LiteRT.js in browsers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_edge.formats import Format

if TYPE_CHECKING:
    import onnx_ir as ir

    from melanoma_edge.data.preprocess import Preprocessing
    from melanoma_edge.runtime.predict import Predict
    from melanoma_edge.tflite.metadata import About


def _write(model: "ir.Model", path: Path, about: "About | None") -> None:
    from melanoma_edge.export.emit import emit

    emit(model, path, name=path.stem, about=about)


def _load(path: Path, spec: "Preprocessing | None", threads: int, device: str) -> "Predict":
    from melanoma_edge.runtime import litert

    return litert.load(path, spec, threads=threads)


def _available() -> str | None:
    from melanoma_edge.runtime import litert

    return litert.available()


def _installed() -> Mapping[str, str]:
    from melanoma_edge.runtime import litert

    return {package: litert.version(package) for package in litert.installed()}


def _imports() -> tuple[str, ...]:
    from melanoma_edge.runtime import litert

    return (litert.PACKAGES[litert.installed()[0]][1],)


FORMAT = Format(
    name="tflite",
    suffix=".tflite",
    library="litert",
    runtime="litert",
    in_browser="litert-web",
    package="ai-edge-litert",
    write=_write,
    load=_load,
    available=_available,
    installed=_installed,
    imports=_imports,
)
