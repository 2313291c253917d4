"""One thread for every training in the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def shared_weights() -> Path:
    """ImageNet features of MobileNetV2, where they are."""
    path = Path(__file__).resolve().parents[3] / "shared" / "weights" / "mobilenet_v2_imagenet_features.safetensors"
    if not path.exists():
        pytest.skip(f"needs {path.name} in shared/weights beside the checkout, which is not part of the repository")
    return path
