"""Decoded images as one uint8 array on disk, so that no stage decodes twice or holds a dataset in memory."""

import mmap
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.artifact import atomic_path
from melanoma_edge.data.dataset import Sample
from melanoma_edge.data.preprocess import load_pixels
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

CHUNK = 256  # images in memory at a time


def write_pixels(samples: Sequence[Sample], size: int, path: Path, *, progress: Progress = silent) -> None:
    """Decode every sample through the one preprocessing into a uint8 `[N, size, size, 3]` .npy file, atomically.

    Rows follow `samples`. Memory is bounded by CHUNK images. Raises InputError naming a file that cannot be decoded.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(samples), size, size, 3)}
    # Written as a stream, not through a memory map: a full disk is then an OSError and not a SIGBUS.
    with atomic_path(path) as scratch, scratch.open("wb") as file, ThreadPoolExecutor(cpu_count()) as pool:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(samples), CHUNK):
            chunk = [sample.path for sample in samples[start : start + CHUNK]]
            for image in pool.map(partial(_decode, size=size), chunk):
                file.write(image.tobytes())
            progress("decoding images", start + len(chunk), len(samples))


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """A read-only memory map of what `write_pixels` wrote: uint8 `[N, size, size, 3]`."""
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def in_chunks(pixels: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Slices of at most `size` images in order. Behind a memory map the system may take each slice's pages back."""
    mapped = getattr(pixels, "_mmap", None)
    for start in range(0, len(pixels), size):
        yield pixels[start : start + size]
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)  # else every page that was read counts as ours until the end


def _decode(path: Path, size: int) -> NDArray[np.uint8]:
    try:
        return load_pixels(path, size)
    except OSError as error:
        raise InputError(f"cannot decode {path}: {error}") from None
