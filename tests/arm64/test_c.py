"""The C example: Python's bits on this machine and on emulated ARM64, Pillow's pixels, and no answer to bad input."""

import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from melanoma_edge import formats
from melanoma_edge.data.preprocess import pixels
from melanoma_edge.runtime import arm64
from melanoma_edge.verify.predictions import softmax

SOURCES = Path(__file__).resolve().parents[2] / "examples" / "c"
REJECTION = 0.6


def built(folder: Path, compiler: str, litert: Path) -> Path:
    """The example, compiled by its own Makefile, with warnings as errors."""
    for source in SOURCES.iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    words = ["make", "-C", str(folder), f"CC={compiler}", f"LITERT={litert}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "classify"


@pytest.fixture(scope="session")
def native(emulated: arm64.Emulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = find_spec("ai_edge_litert")
    assert found is not None and found.origin is not None
    return built(tmp_path_factory.mktemp("native"), "gcc", Path(found.origin).parent)


@pytest.fixture(scope="session")
def crossed(emulated: arm64.Emulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    litert = emulated.root / arm64.WHEELS / "ai_edge_litert"
    return built(tmp_path_factory.mktemp("crossed"), "aarch64-linux-gnu-gcc", litert)


def classify(program: list[str], model: Path, threshold: float, *images: Path, melanoma: int = 1):
    words = [*program, str(model), str(threshold), str(REJECTION), str(melanoma), *map(str, images)]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


def answers(done: subprocess.CompletedProcess[str]) -> tuple[list[str], NDArray[np.float64], NDArray[np.float32]]:
    """Decisions, probabilities and logits of the lines printed."""
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    logits = np.array([[float.fromhex(word) for word in row[3:]] for row in rows], np.float32)
    return [row[2] for row in rows], np.array([float(row[1]) for row in rows]), logits


@pytest.fixture(scope="session")
def raw(images: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "images.rgb"
    images.tofile(path)
    return path


def test_native_c_gives_pythons_bits(native: Path, int8: Path, images, raw: Path, threshold: float) -> None:
    decisions, p, logits = answers(classify([str(native)], int8, threshold, raw))
    wanted = formats.load(int8)(images)
    assert len(wanted) >= 100 and np.array_equal(wanted.view(np.uint32), logits.view(np.uint32))
    exact = softmax(wanted)[:, 1]
    entropy = -exact * np.log(exact) - (1 - exact) * np.log(1 - exact)
    named = np.where(exact >= threshold, "melanoma", "other")
    assert decisions == [
        f"{name},uncertain" if doubt else str(name) for name, doubt in zip(named, entropy > REJECTION, strict=True)
    ]
    assert np.abs(p - exact).max() < 1e-9


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_c_on_arm64_gives_what_python_gives_there(
    count: int, crossed: Path, emulated: arm64.Emulation, int8: Path, answered, images, threshold: float, tmp_path: Path
) -> None:
    images[:count].tofile(tmp_path / "images.rgb")
    with arm64.root(emulated, "cortex-a53") as root:
        program = arm64.command(emulated, "cortex-a53", root, crossed)
        decisions, _, logits = answers(classify(program, int8, threshold, tmp_path / "images.rgb"))
    there = np.ascontiguousarray(answered["cortex-a53"][:count, :2])
    assert len(logits) == count and np.array_equal(there.view(np.uint32), logits.view(np.uint32))
    named = [decision.split(",")[0] for decision in decisions]
    assert named == ["melanoma" if p >= threshold else "other" for p in softmax(there)[:, 1]]


@pytest.mark.parametrize("size", [(160, 160), (450, 600), (600, 451), (37, 90), (161, 5), (1, 1)])
def test_photographs_of_any_size_become_pythons_pixels(native: Path, int8: Path, size, tmp_path: Path) -> None:
    """The centred square and Pillow's resize: one level that differs would show in the logits."""
    image = Image.fromarray(np.random.default_rng(size[0]).integers(0, 256, (size[1], size[0], 3), np.uint8))
    image.save(tmp_path / "a.ppm")
    _, _, logits = answers(classify([str(native)], int8, 0.5, tmp_path / "a.ppm"))
    assert np.array_equal(formats.load(int8)(pixels(image, 160)[np.newaxis]), logits)


def test_bad_input_gets_no_probability(native: Path, int8: Path, guard_bundle: Path, tmp_path: Path) -> None:
    head = b"P6\n# a comment\n4 4\n255\n"
    broken = {
        "empty.ppm": b"",
        "cut.ppm": head + bytes(47),
        "deep.ppm": b"P6 4 4 65535\n" + bytes(96),
        "text.ppm": b"P3 1 1 255 0 0 0",
        "flat.ppm": b"P6 0 4 255\n",
        "minus.ppm": b"P6 -4 4 255\n" + bytes(48),
        "huge.ppm": b"P6 99999999999999999999 4 255\n",
        "wide.ppm": b"P6 32769 1 255\n" + bytes(3),
        "cut.rgb": bytes(100),
        "none.rgb": b"",
    }
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
    for name in [*broken, "missing.ppm"]:
        done = classify([str(native)], int8, 0.5, tmp_path / name)
        assert done.returncode == 2 and done.stdout == "" and name in done.stderr, name
    (tmp_path / "good.ppm").write_bytes(head + bytes(48))
    mixed = classify([str(native)], int8, 0.5, tmp_path / "cut.ppm", tmp_path / "good.ppm")
    assert mixed.returncode == 2 and mixed.stdout.count("\n") == 1
    assert (
        "class that the network does not have"
        in classify([str(native)], int8, 0.5, tmp_path / "good.ppm", melanoma=2).stderr
    )


def test_a_file_that_is_no_model_is_refused(native: Path, int8: Path, guard_bundle: Path, tmp_path: Path) -> None:
    data = int8.read_bytes()
    files = {"text.tflite": b"no model at all", "empty.tflite": b"", "short.tflite": data[: len(data) // 2]}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for model in [*(tmp_path / name for name in files), tmp_path / "missing.tflite", tmp_path]:
        done = classify([str(native)], model, 0.5, tmp_path / "a.ppm")
        assert done.returncode == 2 and done.stdout == "", model
