"""Peak memory of `verify` on 1,000 and on 10,000 images: it must not grow with them.

.venv/bin/python benchmarks/many_images.py [COUNT...]
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from melanoma_edge import models
from melanoma_edge.train.weights import save_model

SIZE = 96  # 28 kB of pixels an image: 0.28 GB when there are 10,000
COMMAND = (sys.executable, "-m", "melanoma_edge")
OPEN = ("--max-auc-drop", "1", "--max-flip-rate", "1", "--max-sensitivity-drop", "1", "--max-graph-dp", "1")


def photographs(folder: Path, count: int) -> None:
    """Class folders of different smooth JPEG images: `count` to test, 60 to calibrate, 60 to choose a threshold."""
    rng = np.random.default_rng(0)
    for split, images in (("train", 60), ("val", 60), ("test", count)):
        for i in range(images):
            home = folder / split / ("melanoma" if i % 9 == 0 else "other")
            home.mkdir(parents=True, exist_ok=True)
            small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
            small.resize((240, 180), Image.Resampling.BILINEAR).save(home / f"{split}_{i:05d}.jpg", quality=85)


def bundle(folder: Path, data: str) -> Path:
    """A network with random weights, compiled and with its reference predictions on those images."""
    spec = models.spec("meshnet", 2, image_size=SIZE)
    network = models.create("meshnet", 2, dropout=spec.dropout, head=spec.head)
    save_model(folder / "m.safetensors", network, spec, ("other", "melanoma"))
    made = folder / "bundle"
    flags = ("--checkpoint", folder / "m.safetensors", "--data", data, "--quantizer", "minmax", "--bench-runs", "1")
    subprocess.run([*COMMAND, "compile", *map(str, flags), *OPEN, "--output", str(made)], check=True)
    return made


def peak(command: list[str]) -> tuple[float, float]:
    """Megabytes at most resident and seconds of a command that ends with 0.

    The kernel's own high-water mark, asked for until the process ends: what wait4 tells begins with our own.
    """
    started, highest = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        mark = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        highest = max(highest, int(mark[1]) if mark else 0)
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return highest / 1024, time.monotonic() - started


def main(counts: list[int]) -> None:
    """Print a line a count."""
    for count in counts:
        with tempfile.TemporaryDirectory() as scratch:
            photographs(Path(scratch) / "images", count)
            made = bundle(Path(scratch), f"folder:{Path(scratch) / 'images'}")
            file = next((made / "tflite").glob("*minmax.tflite"))
            megabytes, seconds = peak([*COMMAND, "verify", str(file), "--reference", str(made), *OPEN])
            print(f"{count:,} images: {megabytes:.0f} MB at most, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1_000, 10_000])
