"""Which image files may be used: every file is decoded once here, so that none can stop a training half way."""

import hashlib
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from os import cpu_count
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError

from melanoma_edge.progress import Progress, silent

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MAX_SIDE = 20_000
MAX_PIXELS = 89_478_485  # Pillow's own limit for decompression bombs: 256 MiB of RGB
MIN_SIDE = 8
CHUNK = 64  # files that one core looks at before it takes others
# What Pillow's decoders raise on damaged bytes.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)

Result = TypeVar("Result")


def is_image_name(path: Path) -> bool:
    """Whether a file's name says that it is an image; hidden files are not."""
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")


def screen(path: Path) -> str | None:
    """Why the image file is refused, or None when it can be used. Sizes and modes are judged before decoding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is either harmless or the reason returned
        return _screen(path)


def screen_all(paths: Sequence[Path], *, progress: Progress = silent) -> list[str | None]:
    """`screen` of many files, in order, on every core."""
    reasons: list[str | None] = []
    with warnings.catch_warnings():  # set once around the threads: it is not safe inside them
        warnings.simplefilter("ignore")
        for chunk in _on_all_cores(_screen, paths):
            reasons += chunk
            progress("checking images", len(reasons), len(paths))
    return reasons


def digests(paths: Sequence[Path]) -> dict[Path, str]:
    """Hex blake2b of the bytes of each file that has another file's length; a unique length is its own digest."""
    sizes = {path: path.stat().st_size for path in dict.fromkeys(paths)}
    seen = Counter(sizes.values())
    alike = [path for path, size in sizes.items() if seen[size] > 1]
    hashed = dict(zip(alike, chain.from_iterable(_on_all_cores(_digest, alike)), strict=True))
    return {path: hashed.get(path, f"length {size}") for path, size in sizes.items()}


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as stored, from the header alone."""
    with Image.open(path, formats=FORMATS) as image:
        return image.size


def _on_all_cores(function: Callable[[Path], Result], paths: Sequence[Path]) -> Iterator[list[Result]]:
    """`function` of every path in order, CHUNK at a time: a task for each would take longer than a file's header."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ThreadPoolExecutor(cpu_count()) as pool:
        yield from pool.map(lambda chunk: [function(path) for path in chunk], chunks)


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=20).hexdigest()


def _screen(path: Path) -> str | None:
    if not path.is_file():
        return "not a file" if path.exists() else "missing file"
    if path.stat().st_size == 0:
        return "zero bytes"
    try:
        with Image.open(path, formats=FORMATS) as image:
            return _size_fault(image) or _mode_fault(image) or _pixel_fault(image)
    except Image.DecompressionBombError:
        return f"more than {MAX_PIXELS:,} pixels"
    except _DAMAGE as error:
        return _damage(error)


def _damage(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"not an image in one of the formats {', '.join(FORMATS)}"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return f"truncated or damaged: {error}"


def _size_fault(image: Image.Image) -> str | None:
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        return f"{width} x {height} pixels: no side may be over {MAX_SIDE:,}"
    if width * height > MAX_PIXELS:
        return f"{width} x {height} pixels: more than {MAX_PIXELS:,} in all"
    if min(width, height) < MIN_SIDE:
        return f"{width} x {height} pixels: no side may be under {MIN_SIDE}"
    return None


def _mode_fault(image: Image.Image) -> str | None:
    # Pillow opens a 16-bit RGB file as "RGB" and drops the low bytes: only the raw mode tells.
    if image.mode.startswith("I") or any(";16" in str(tile[3]) for tile in getattr(image, "tile", [])):
        return "16 bits a channel: 8-bit RGB or grey is needed"
    if image.mode not in ("RGB", "L", "RGBA"):
        return f"colour mode {image.mode}: 8-bit RGB, grey or opaque RGBA is needed"
    if "transparency" in image.info:
        return "has transparent pixels"
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:  # MPO: a phone's JPEG with a preview behind it
        return "has more than one frame"
    return None


def _pixel_fault(image: Image.Image) -> str | None:
    """What decoding says against it. A JPEG is decoded at an eighth of its size, which still reads every byte."""
    if image.format in ("JPEG", "MPO"):
        image.draft(image.mode, (image.width // 8, image.height // 8))
    image.load()
    ImageOps.exif_transpose(image)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return "has transparent pixels"
    return None
