"""A checkpoint of ours, which torch runs: the full-precision reference, on a GPU where there is one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_edge.formats import Format, OnDevice

if TYPE_CHECKING:
    from melanoma_edge.data.preprocess import Preprocessing
    from melanoma_edge.runtime.predict import Predict


def _load(path: Path, spec: "Preprocessing | None", threads: int, device: str) -> "Predict":
    from melanoma_edge.runtime import pytorch

    return pytorch.load(path, spec, threads=threads, device=device)


def _available() -> str | None:
    from melanoma_edge.runtime import pytorch

    return pytorch.available()


def _installed() -> Mapping[str, str]:
    from melanoma_edge.runtime import pytorch

    return {pytorch.PACKAGE: pytorch.version()}


def _on_gpu(path: Path) -> Iterator[OnDevice]:
    from melanoma_edge.runtime import pytorch

    for precision in ("float32", "float16"):
        yield OnDevice(precision, pytorch.on_device(path, precision))


FORMAT = Format(
    name="safetensors",
    suffix=".safetensors",
    library="pytorch",
    runtime="torch",
    package="torch",
    load=_load,
    available=_available,
    installed=_installed,
    imports=lambda: ("torch", "torchvision", "timm", "melanoma_edge.train.weights"),
    gpu=True,
    on_gpu=_on_gpu,
)
