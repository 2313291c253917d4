"""Bytes of the INT8 .tflite of every backbone, beside the number of parameters and what litert-torch writes.

    make bench-sizes            # prints the table of docs/results/sizes.md

Bytes depend on the graph alone, so the weights are random and a few synthetic lesions calibrate.
"""

import importlib.metadata
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from peers import litert_torch_static as peer
from torch import nn

from melanoma_edge import models
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import passes
from melanoma_edge.export.emit import to_bytes
from melanoma_edge.export.onnx import export_onnx
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static

IMAGES = 4


@dataclass(frozen=True)
class Sizes:
    """Parameters are counted with batch norm's two, as torch does. peer: None where its conversion failed."""

    arch: str
    parameters: int
    ours: int
    peer: int | None

    @property
    def limit(self) -> int:
        """The most bytes that the INT8 file may have."""
        return round(1.25 * self.parameters) + 40_000


def measure(arch: str, *, with_peer: bool) -> Sizes:
    """Compile `arch` with random weights at its own image size."""
    spec = models.spec(arch, 2)
    model = models.create(arch, 2).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, spec.image_size, spec.image_size, 3), np.uint8)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    theirs = _peer_bytes(model, pixels) if with_peer else None
    return Sizes(arch, parameters, len(_ours(model, pixels)), theirs)


def _ours(model: nn.Module, pixels: "np.typing.NDArray[np.uint8]") -> bytes:
    size = pixels.shape[1]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        export_onnx(model, size, path)
        graph = ir.load(path)
        for phase in ("clean", "integer"):
            passes.apply(graph, phase)
        quantized, _ = quantize(graph, pixels, Preprocessing(size), static.RECIPE)
    return to_bytes(quantized, name="int8")


def _peer_bytes(model: nn.Module, pixels: "np.typing.NDArray[np.uint8]") -> int:
    images = np.ascontiguousarray(normalize(pixels, Preprocessing(pixels.shape[1])).transpose(0, 3, 1, 2))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "peer.tflite"
        peer.convert(model, images, path)
        return path.stat().st_size


def table(rows: list[Sizes]) -> str:
    """The rows in Markdown."""
    lines = [
        "| backbone | parameters | INT8 bytes | limit | of the limit | litert-torch |",
        "| --- " + "| ---: " * 5 + "|",
    ]
    for row in rows:
        theirs = "-" if row.peer is None else f"{row.peer:,}"
        share = f"{row.ours / row.limit:.1%}"
        lines.append(f"| {row.arch} | {row.parameters:,} | {row.ours:,} | {row.limit:,} | {share} | {theirs} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; end with 1 when a file is above its limit or above the peer's."""
    rows = [measure(arch, with_peer=True) for arch in models.names()]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "ai-edge-litert", *peer.PACKAGES)]
    print(f"{table(rows)}\n\n{', '.join(versions)}")
    sys.exit(any(row.ours > min(row.limit, row.peer or row.limit) for row in rows))


if __name__ == "__main__":
    main()
