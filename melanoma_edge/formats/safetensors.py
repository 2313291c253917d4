"""A checkpoint of ours, which torch runs: the full-precision reference, on a GPU where there is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_edge.formats import Format, OnDevice, Runtime

if TYPE_CHECKING:
    pass


def _engine() -> Runtime:
    from melanoma_edge.runtime import pytorch

    return pytorch


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
    engine=_engine,
    gpu=True,
    on_gpu=_on_gpu,
)
