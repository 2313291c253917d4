"""The machine is chosen by what is there, and what is not there is refused."""

from dataclasses import replace

import pytest
import torch
from tiny_training import TINY

from melanoma_edge.errors import InputError
from melanoma_edge.train import machine


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool = False, bf16: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)


@pytest.mark.parametrize(
    ("cuda", "bf16", "expected"),
    [(False, False, "float32"), (False, True, "bfloat16"), (True, False, "float16"), (True, True, "bfloat16")],
)
def test_auto_takes_what_the_processor_multiplies_in(
    cuda: bool, bf16: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, cuda=cuda, bf16=bf16)
    chosen = machine.choose(replace(TINY, device="auto", precision="auto"))
    assert (chosen.device.type, chosen.precision) == ("cuda" if cuda else "cpu", expected)


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with pytest.raises(InputError, match="no CUDA device"):
        machine.choose(replace(TINY, device="cuda"))
    with pytest.raises(InputError, match="float16 training needs a GPU"):
        machine.choose(replace(TINY, precision="float16"))


def test_a_cpu_is_used_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, bf16=True)
    assert machine.choose(replace(TINY, device="cpu")).device.type == "cpu"


def test_autocast_rounds_products_only_in_half_precision() -> None:
    weight = torch.full((2, 2), 1 + 2**-12)  # not a bfloat16 number
    for precision, exact in (("float32", True), ("bfloat16", False)):
        with machine.Machine(torch.device("cpu"), precision, 0).autocast():
            product = torch.eye(2) @ weight
        assert torch.equal(product.float(), weight) is exact


def test_network_input_is_exact_for_every_pixel() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    values = machine.Machine(torch.device("cpu"), "float32", 0).network_input(pixels)
    assert values.dtype == torch.float32
    assert torch.equal(values * 128 + 128, pixels.float())
