"""The same .tflite in tflite-runtime's or TensorFlow's interpreter, where another Python has one.

tflite-runtime wants numpy below 2, so neither goes beside what the project needs: OTHER_PYTHON names a Python that has
numpy and one of the two.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from melanoma_edge.formats import load
from melanoma_edge.runtime.arm64 import ANSWER
from melanoma_edge.verify.predictions import softmax

CLOSE = 1e-5  # of a logit: other versions of XNNPACK sum the last layer, and float files, in another order
OWN_KERNELS = (
    0.01  # of a logit, INT8 MeshNet: tflite-runtime 2.14 has no XNNPACK for it, and its kernels round otherwise
)


@pytest.fixture(scope="module")
def python() -> str:
    found = os.environ.get("OTHER_PYTHON")
    if not found:
        pytest.skip("OTHER_PYTHON names no Python with numpy and tflite-runtime or tensorflow")
    return found


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_it_gives_the_same_logits_and_decisions(
    python: str, precision: str, guard_bundle: Path, tmp_path: Path
) -> None:
    model = guard_bundle / "tflite" / f"{guard_bundle.name}_{precision}.tflite"
    images = np.load(guard_bundle / ".work" / "data" / "test.npy")[:100]
    np.save(tmp_path / "images.npy", images)
    words = [python, str(ANSWER), str(model), str(tmp_path / "images.npy"), str(tmp_path / "answers"), "0", "litert"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, env={})
    assert done.returncode == 0, done.stderr
    asked = [python, "-c", "import importlib.util as u; print(bool(u.find_spec('tflite_runtime')))"]
    old = subprocess.run(asked, capture_output=True, text=True, check=True, env={}).stdout.strip() == "True"
    here, there = load(model)(images), np.fromfile(tmp_path / "answers", "<f4").reshape(len(images), 2)
    assert len(images) == 100 and np.abs(here.astype(float) - there).max() <= (
        OWN_KERNELS if old and precision == "int8" else CLOSE
    )
    assert np.array_equal(softmax(here)[:, 1] >= 0.5, softmax(there)[:, 1] >= 0.5)
