"""onnx2tf's full-integer TFLite file, in an environment of its own, since it pins every package that it uses.

`make bench-peers` makes that environment beside ours. Its float check asks for a file of sample images from the
network; it finds our calibration images under that name instead.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGES = ("onnx2tf",)
FORMAT = "tflite"
BIN = Path(__file__).resolve().parents[2] / ".venv-onnx2tf" / "bin"
SAMPLES = "calibration_image_sample_data_20x128x128x3_float32.npy"


def version(package: str) -> str:
    """The installed version of a package in that environment."""
    script = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([BIN / "python", "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def convert_onnx(onnx: Path, images: NDArray[np.float32], path: Path, kind: str = "full_integer_quant") -> None:
    """Write `path` from an .onnx file; images: float32 `[N, 3, S, S]` for calibration, normalised.

    kind: which of the files that it makes.
    """
    rows = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.save(folder / "calibration.npy", rows)
        np.save(folder / SAMPLES, np.resize(rows, (20, 128, 128, 3)).astype(np.float32))
        calibration = ["image", str(folder / "calibration.npy"), "[[[[0,0,0]]]]", "[[[[1,1,1]]]]"]
        command = [BIN / "onnx2tf", "-i", onnx, "-o", folder / "out", "-oiqt", "-cind", *calibration]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        made = sorted((folder / "out").glob(f"{onnx.stem}_{kind}.tflite"))
        if done.returncode or not made:
            raise RuntimeError(f"onnx2tf ended with {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
        path.write_bytes(made[0].read_bytes())
