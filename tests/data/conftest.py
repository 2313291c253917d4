from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoma_edge.data.dataset import Sample

Draw = Callable[..., Path]


def draw_image(path: Path, seed: int, size: tuple[int, int] = (16, 12), **options: object) -> Path:
    """A small image whose pixels depend on the seed, in the format of the path's suffix."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def draw() -> Draw:
    return draw_image


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Thirty lesions of two images each, every third a melanoma, without splits."""
    return [
        Sample(
            f"image{i}", draw_image(tmp_path / f"{i}.png", i), "mel" if (i // 2) % 3 == 0 else "nv", f"lesion{i // 2}"
        )
        for i in range(60)
    ]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that the tests of a session share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def synthetic_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache
