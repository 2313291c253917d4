"""synthetic[:COUNT[,SEED]] - procedural dermoscopy-like lesions, 1200 by default; not patients, no clinical meaning."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count as count_up
from os import cpu_count
from pathlib import Path

import numpy as np
from PIL import Image

from melanoma_edge.artifact import cache_folder
from melanoma_edge.data import lesions
from melanoma_edge.data.dataset import Dataset, Sample
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

COUNT, SEED = 1200, 0
VERSION = "v1"
MOST = 100_000
# Every block of 20 lesions has these, so that a small set has every diagnosis too; a fifth is melanoma.
BLOCK = ("mel",) * 4 + ("nv",) * 8 + ("bkl",) * 3 + ("bcc",) * 2 + ("akiec", "df", "vasc")
VIEWS, VIEWS_P = (1, 2, 3), (0.6, 0.3, 0.1)  # images of one lesion


@dataclass(frozen=True)
class _Lesion:
    """A lesion of the plan and how many images show it."""

    number: int
    diagnosis: str
    views: int


def load(location: str, progress: Progress = silent) -> Dataset:
    """COUNT generated images of 200 x 150 pixels, rendered once into the cache folder of the user.

    The first images of a larger set with the same seed are the same. Raises InputError when `location` is not
    COUNT or COUNT,SEED.
    """
    count, seed = _parse(location)
    folder = rendered(count, seed)
    plan = _plan(count, seed)
    if not folder.is_dir():
        _render_all(folder, plan, seed, progress)
    samples = tuple(
        Sample(_name(lesion, view), folder / f"{_name(lesion, view)}.png", lesion.diagnosis, f"lesion{lesion.number}")
        for lesion in plan
        for view in range(lesion.views)
    )
    return Dataset("synthetic", samples, licence="generated", clinical=False)


def how_many(location: str) -> int:
    """How many images `location` asks for. Raises InputError as `load` does."""
    return _parse(location)[0]


def rendered(count: int, seed: int) -> Path:
    """Where a rendered set lies in the cache, named by everything that decides its pixels."""
    code = b"".join(Path(str(file)).read_bytes() for file in (__file__, lesions.__file__))
    return cache_folder() / f"synthetic-{VERSION}-{count}-{seed}-{hashlib.sha256(code).hexdigest()[:8]}"


def _parse(location: str) -> tuple[int, int]:
    texts = location.split(",") if location else []
    if len(texts) > 2 or not all(text.strip().isdecimal() for text in texts):
        raise InputError(f"synthetic takes COUNT or COUNT,SEED in digits, as in synthetic:{COUNT},{SEED}: {location!r}")
    numbers = [int(text) for text in texts]
    count, seed = (numbers + [COUNT, SEED][len(numbers) :])[:2]
    if not 0 < count <= MOST:
        raise InputError(f"synthetic makes 1 to {MOST:,} images: found {count:,}")
    return count, seed


def _plan(count: int, seed: int) -> list[_Lesion]:
    """Lesions whose views add up to `count`; a larger count begins with the same lesions."""
    plan: list[_Lesion] = []
    left = count
    for lesion in _endless_plan(seed):
        plan.append(_Lesion(lesion.number, lesion.diagnosis, min(lesion.views, left)))
        left -= plan[-1].views
        if not left:
            break
    return plan


def _endless_plan(seed: int) -> Iterator[_Lesion]:
    rng = np.random.default_rng((seed, 0))
    for block in count_up():
        views = rng.choice(VIEWS, len(BLOCK), p=VIEWS_P)
        for place, which in enumerate(rng.permutation(len(BLOCK))):
            yield _Lesion(block * len(BLOCK) + place, BLOCK[which], int(views[place]))


def _name(lesion: _Lesion, view: int) -> str:
    return f"lesion{lesion.number:05d}_{view}"


def _render_all(folder: Path, plan: Sequence[_Lesion], seed: int, progress: Progress) -> None:
    """Render into a scratch folder that takes its place when every image is there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InputError(f"cannot write to {folder.parent} ({error.strerror}): set XDG_CACHE_HOME") from None
    try:
        total, done = sum(lesion.views for lesion in plan), 0
        with ThreadPoolExecutor(cpu_count()) as pool:
            for views in pool.map(lambda lesion: _render(lesion, seed, scratch), plan):
                done += views
                progress("rendering lesions", done, total)
        scratch.chmod(0o755)
        if not folder.is_dir():  # another process may have been faster
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _render(planned: _Lesion, seed: int, folder: Path) -> int:
    lesion = lesions.draw_lesion(planned.diagnosis, (seed, 1, planned.number))
    canvas = lesions.paint(lesion)
    for view in range(planned.views):
        image = Image.fromarray(lesions.photograph(lesion, canvas, view))
        image.save(folder / f"{_name(planned, view)}.png", compress_level=1)
    return planned.views
