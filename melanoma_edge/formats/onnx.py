"""ONNX with QDQ pairs: ONNX Runtime on desktops and servers, and onnxruntime-web in browsers."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_edge.formats import Format, OnDevice, Runtime

if TYPE_CHECKING:
    import onnx_ir as ir

    from melanoma_edge.tflite.metadata import About


def _write(model: "ir.Model", path: Path, about: "About | None") -> None:
    """The graph as ONNX Runtime runs it fastest; it tells nothing of itself."""
    import onnx_ir as ir

    from melanoma_edge.export import passes

    copy = model.clone()
    passes.apply(copy, "onnxruntime")
    ir.save(copy, path)


def _engine() -> Runtime:
    from melanoma_edge.runtime import ort

    return ort


def _on_gpu(path: Path) -> Iterator[OnDevice]:
    """A file in float, where ONNX Runtime has CUDA, one image a run, on the stream on which torch's events stand."""
    from melanoma_edge.runtime import ort

    def on(images: int) -> Callable[[], object]:
        import torch

        return ort.on_cuda(path, torch.cuda.current_stream().cuda_stream)

    if ort.has_cuda() and ort.is_float(path):
        yield OnDevice("float32", on, fixed=True)


def _settings(path: Path) -> Mapping[str, str]:
    from melanoma_edge.runtime import ort

    return ort.entries(path)


FORMAT = Format(
    name="onnx",
    suffix=".onnx",
    library="onnx",
    runtime="onnxruntime",
    is_graph=True,
    in_browser="onnxruntime-web",
    package="onnxruntime",
    write=_write,
    engine=_engine,
    on_gpu=_on_gpu,
    settings=_settings,
)
