"""One converter, ours or somebody else's, in a process of its own, so that its peak memory is its own.

    python benchmarks/convert.py NAME MODEL.onnx CALIBRATION.npy FOLDER

writes its files into FOLDER and prints a line of JSON for each: what `Made` holds.
"""

import importlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import passes
from melanoma_edge.formats import write
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.quantizers import Subject

OURS = ("minmax", "nncf", "static_wi8_ai8", "static", "mixed", "distilled")
PEERS = ("litert_torch_static", "onnx2tf_static", "onnx2tf_float_io", "ort_static", "nncf_default")


@dataclass(frozen=True)
class Made:
    """A file and what it took to make it: seconds, and the peak memory of the process in megabytes, both up to then."""

    name: str
    path: str
    seconds: float
    megabytes: int


def convert(name: str, onnx: Path, calibration: Path, folder: Path) -> list[Made]:
    """The files of a converter, made in a process of its own. Raises CalledProcessError when it fails."""
    command = [sys.executable, __file__, name, str(onnx), str(calibration), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [Made(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith('{"name"')]


def _ours(name: str, onnx: Path, pixels: NDArray[np.uint8], folder: Path) -> Iterator[Made]:
    """Two files for each of a quantizer's recipes; uint8 `[N, S, S, 3]` calibration images."""
    started = time.monotonic()
    model = ir.load(onnx)
    passes.apply(model, "integer")
    for attempt in quantizers.attempts(name, Subject(model, pixels, Preprocessing(pixels.shape[1]))):
        recipe = attempt.recipe.name
        files = [folder / f"{recipe}.{suffix}" for suffix in ("onnx", "tflite")]
        for file in files:
            write(attempt.model, file)
        yield from (Made(recipe, str(file), round(time.monotonic() - started, 1), _megabytes()) for file in files)


def _peer(name: str, onnx: Path, pixels: NDArray[np.uint8], folder: Path) -> Iterator[Made]:
    """Its one file; uint8 `[N, S, S, 3]` calibration images, which it gets normalised as float32 `[N, 3, S, S]`."""
    peer = importlib.import_module(f"peers.{name}")
    images = np.ascontiguousarray(normalize(pixels, Preprocessing(pixels.shape[1])).transpose(0, 3, 1, 2))
    path, started = folder / f"{name}.{peer.FORMAT}", time.monotonic()
    peer.convert_onnx(onnx, images, path)
    yield Made(name, str(path), round(time.monotonic() - started, 1), _megabytes())


def _megabytes() -> int:
    """Peak memory of this process or its largest child. Not `ru_maxrss` of its own, which starts at its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    resident = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return round(max(resident, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6)


def main() -> None:
    """Convert as the command line says."""
    name, onnx, calibration, folder = sys.argv[1:]
    run = _ours if name in OURS else _peer
    for made in run(name, Path(onnx), np.load(calibration), Path(folder)):
        print(json.dumps(asdict(made)), flush=True)


if __name__ == "__main__":
    main()
