import pytest
import torch
from torch import nn

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.runtime import pytorch


def small() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * 4 * 4, 2))


def test_unknown_and_missing_devices_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="unknown device 'tpu': known are auto, cpu, cuda"):
        pytorch.wrap(small(), Preprocessing(4), device="tpu")
    with pytest.raises(InputError, match="no CUDA GPU"):
        pytorch.wrap(small(), Preprocessing(4), device="cuda")
    assert pytorch.gpu() is None
    assert pytorch.wrap(small(), Preprocessing(4)).device == "cpu"


def test_dropout_is_off_and_threads_are_the_networks_own_while_it_runs(pixels):
    seen = []

    class Counting(nn.Flatten):
        def forward(self, x):
            seen.append(torch.get_num_threads())
            return super().forward(x)

    network = nn.Sequential(Counting(), nn.Dropout(0.5), nn.Linear(3 * 4 * 4, 2)).train()
    image, before = pixels[0, :4, :4], torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        one, three = (pytorch.wrap(network, Preprocessing(4), threads=n, device="cpu").prepared(image) for n in (1, 3))
        assert (one() == one()).all()
        three()
        assert seen == [1, 1, 3]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_tf32_is_off_only_while_the_network_runs():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.enabled, torch.get_float32_matmul_precision()
    with pytest.raises(ValueError, match="inside"), pytorch.full_float32():
        assert torch.backends.cudnn.enabled
        assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
        raise ValueError("inside")
    after = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.enabled, torch.get_float32_matmul_precision()
    assert after == before == (True, True, "highest")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_the_gpu_computes_in_full_float32(pixels):
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.Flatten(), nn.Linear(64 * 30 * 30, 2))
    cpu, gpu = (pytorch.wrap(network, Preprocessing(32), device=device)(pixels) for device in ("cpu", "cuda"))
    assert abs(cpu - gpu).max() < 1e-5
