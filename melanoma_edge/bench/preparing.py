"""What a user waits for before the network: decoding a photograph and resizing it, as the preprocessing does it."""

import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from melanoma_edge.bench.document import Preparing
from melanoma_edge.bench.latency import WARM_UP, summarize
from melanoma_edge.data.preprocess import load_pixels, pixels

WIDTH, HEIGHT, QUALITY = 600, 450, 90  # as HAM10000's originals are


def preparing(size: int, *, runs: int) -> Preparing:
    """The time from a JPEG file to the network's pixels, `size` on a side.

    The file lies in the system's cache. Its content is smooth noise: decoding depends on detail, a little.
    """
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "photograph.jpg"
        Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3)).save(path, quality=QUALITY)
        for _ in range(WARM_UP):
            load_pixels(path, size)
        times, decoded = np.zeros(runs, np.int64), np.zeros(runs, np.int64)
        for i in range(runs):
            started = time.perf_counter_ns()
            with Image.open(path) as image:
                image.load()
                decoded[i] = time.perf_counter_ns() - started
                pixels(image, size)
            times[i] = time.perf_counter_ns() - started
    latency, decoding = summarize(times, threads=1), summarize(decoded, threads=1)
    return Preparing(f"{WIDTH} x {HEIGHT} JPEG", size, latency.p50, latency.p90, latency.p99, decoding.p50)
