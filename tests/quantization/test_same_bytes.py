"""The same inputs give the same integers, whatever the threads, the cores and the load."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from settled_networks import IMAGES, exported

from melanoma_edge import registry
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.quantizers import mixed

TESTS = Path(__file__).resolve().parents[1]
MESHNET = TESTS / "networks" / "meshnet_synthetic.onnx"
NAMES = [name for name in registry.names(quantizers.__name__) if name != "nncf"]  # NNCF's arithmetic is its own
ALONE = "import os, runpy, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
RUN = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


@contextmanager
def busy() -> Iterator[None]:
    """A process that takes a core from time to time."""
    beside = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        beside.kill()
        beside.wait()


def hashes(network: Path, images: int, names: Sequence[str], threads: int, *, alone: bool) -> dict[str, str]:
    code = ALONE + RUN if alone and hasattr(os, "sched_setaffinity") else RUN
    words = [sys.executable, "-c", code, str(TESTS / "recipe_hashes.py"), str(network), str(images), *names]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
    made = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(made.stdout.splitlines()[-1])
    return found


def same(network: Path, images: int, names: Sequence[str]) -> dict[str, str]:
    """The hashes, when they are those of one core with one thread and of more threads than cores on a busy machine."""
    with busy(), ThreadPoolExecutor(2) as pool:
        one = pool.submit(hashes, network, images, names, 1, alone=True)
        many = pool.submit(hashes, network, images, names, 4, alone=False)
        assert one.result() == many.result()
    return one.result()


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNetV3-Small, whose sums two threads of torch add up in another order than one."""
    path = tmp_path_factory.mktemp("mobilenet") / "network.onnx"
    path.write_bytes(exported("mobilenet_v3_small")[1])
    return path


def test_the_same_bytes_under_any_load(mobilenet: Path) -> None:
    assert same(mobilenet, 2 * IMAGES, ["static"]).keys() == {"static"}


@pytest.mark.slow
@pytest.mark.parametrize("trained", [True, False])
def test_every_recipe_gives_the_same_bytes_under_any_load(trained: bool, mobilenet: Path) -> None:
    found = same(MESHNET if trained else mobilenet, 4 * IMAGES, NAMES)
    assert {"static", "minmax", "static_wi8_ai8", "distilled"} <= found.keys()
    assert trained or found.keys() & set(mixed.RECIPES)
