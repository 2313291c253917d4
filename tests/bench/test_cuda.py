"""The GPU's timings with a clock that follows a rule: no GPU is needed, and none of these ran on one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from melanoma_edge import models
from melanoma_edge.bench import cuda
from melanoma_edge.bench.cuda import Batch, Network, best, search, time_networks
from melanoma_edge.errors import InputError
from melanoma_edge.runtime import pytorch
from melanoma_edge.train.weights import save_model


def saturating(size: int) -> float:
    """2 ms until the device is full at 16 images; a larger batch takes longer in proportion."""
    return 2.0 * max(1.0, size / 16)


def test_the_smallest_batch_that_fills_the_device_is_the_best() -> None:
    tried = search(saturating)
    assert [batch.size for batch in tried] == [1, 2, 4, 8, 16, 32, 64]  # two idle doublings end it
    assert best(tried) == Batch(16, 2.0)
    assert best(tried).images_per_second == pytest.approx(8000)


def test_one_idle_doubling_does_not_end_the_search() -> None:
    stairs = {1: 1.0, 2: 2.0, 4: 2.0, 8: 4.0, 16: 8.0}
    assert [batch.size for batch in search(stairs.get)] == [1, 2, 4, 8, 16]
    assert best(search(stairs.get)).size == 4


def test_the_search_ends_with_the_memory_and_at_the_limit() -> None:
    assert [b.size for b in search(lambda size: None if size > 4 else 1.0)] == [1, 2, 4]
    assert [b.size for b in search(lambda size: 1.0, most=32)] == [1, 2, 4, 8, 16, 32]
    with pytest.raises(InputError, match="no memory for one image"):
        search(lambda size: None)


class Device:
    """Networks whose calls cost what a rule says, and the stopwatch that reads it."""

    def __init__(self) -> None:
        self.spent, self.calls = 0.0, 0

    def network(self, name: str, rule: Callable[[int], float], *, fixed: bool = False) -> Network:
        def on(size: int) -> Callable[[], object]:
            def run() -> None:
                self.spent += rule(size)
                self.calls += 1

            return run

        return Network(name, "torch", "2", "float32", on, fixed)

    def stopwatch(self, call: Callable[[], object]) -> float:
        before = self.spent
        call()
        return self.spent - before


def test_every_network_has_a_row_for_one_image_and_for_its_best_batch() -> None:
    device = Device()
    networks = [device.network("wide", saturating), device.network("one", lambda size: 3.0, fixed=True)]
    rows = time_networks(networks, device.stopwatch, runs=7)
    assert [(row.name, row.batch, row.p50) for row in rows] == [("wide", 1, 2), ("wide", 16, 2), ("one", 1, 3)]
    assert [row.images_per_second for row in rows] == pytest.approx([500, 8000, 1000 / 3])
    assert all(row.runs == 7 and row.p50 <= row.p90 <= row.p99 for row in rows)
    assert device.calls >= 2 * (cuda.WARM_UP + 7)


def test_a_batch_that_does_not_fit_is_no_error() -> None:
    def rule(size: int) -> float:
        if size > 8:
            raise torch.OutOfMemoryError
        return 1.0

    device = Device()
    assert [row.batch for row in time_networks([device.network("big", rule)], device.stopwatch, runs=2)] == [1, 8]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    spec = models.spec("meshnet", 2, image_size=32)
    network = models.create("meshnet", 2, dropout=spec.dropout, head=spec.head)
    save_model(tmp_path / "tiny.safetensors", network, spec, ("other", "melanoma"))
    return tmp_path / "tiny.safetensors"


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_network_runs_on_batches_in_both_precisions(checkpoint: Path, precision: str) -> None:
    answer = pytorch.on_device(checkpoint, precision, device="cpu")(3)()
    assert answer.shape == (3, 2) and answer.dtype == getattr(torch, precision)
    assert np.isfinite(answer.float().numpy()).all()


def test_without_a_gpu_it_is_said_what_was_found(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=f"no CUDA GPU that torch can use was found \\(torch {torch.__version__[:3]}"):
        cuda.bench_cuda({"reference": checkpoint})


def test_files_that_no_gpu_is_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytorch, "missing_gpu", lambda: None)
    with pytest.raises(InputError, match=r"float \.onnx file, not phone"):
        cuda.bench_cuda({"phone": Path("m.tflite")})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_real_gpu_is_timed(checkpoint: Path) -> None:
    told = cuda.bench_cuda({"reference": checkpoint, "phone": Path("m.tflite")}, runs=5)
    assert {row.precision for row in told.rows} == {"float32", "float16"}
    assert told.skipped == ("phone",) and told.device == torch.cuda.get_device_name()


def test_a_device_without_memory_for_one_image_is_told() -> None:
    def on(size: int) -> Callable[[], object]:
        raise torch.OutOfMemoryError

    with pytest.raises(InputError, match="no memory for one image"):
        time_networks([Network("a", "torch", "2", "float32", on)], lambda call: 1.0, runs=2)
