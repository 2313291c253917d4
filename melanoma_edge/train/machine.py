"""Where a training runs and in which arithmetic."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from melanoma_edge.allocator import freed_memory_kept
from melanoma_edge.cores import torch_threads, usable_cores
from melanoma_edge.data.preprocess import MEAN, STD
from melanoma_edge.errors import InputError
from melanoma_edge.options import TrainOptions


@dataclass(frozen=True)
class Machine:
    """A device, the precision of its matrix products ("float32", "bfloat16" or "float16"), augmenting processes."""

    device: torch.device
    precision: str
    workers: int

    def autocast(self) -> torch.autocast:
        """The context in which the network runs while it learns."""
        half = self.precision != "float32"
        return torch.autocast(self.device.type, dtype=getattr(torch, self.precision) if half else None, enabled=half)

    def network_input(self, pixels: Tensor) -> Tensor:
        """uint8 `[B,3,S,S]` to `(pixel - 128) / 128` in float32 on the device."""
        return pixels.to(self.device, non_blocking=True).float().sub_(MEAN).div_(STD)


def choose(options: TrainOptions) -> Machine:
    """The machine that the options ask for; "auto" is a GPU when there is one, and half precision where it is native.

    Raises InputError for a GPU that is not there and for float16 on a CPU.
    """
    cuda = torch.cuda.is_available()
    if options.device == "cuda" and not cuda:
        raise InputError("torch finds no CUDA device: use device 'cpu' or 'auto'")
    device = torch.device("cuda" if cuda and options.device != "cpu" else "cpu")
    if options.precision == "float16" and device.type == "cpu":
        raise InputError("float16 training needs a GPU: use precision 'auto', 'bfloat16' or 'float32' on a CPU")
    precision = _native_precision(device) if options.precision == "auto" else options.precision
    workers = options.workers
    if workers is None:
        cores = usable_cores()  # on two, a process that augments costs the training more than it brings
        workers = cores // 2 if sys.platform == "linux" and cores > 2 else 0
    return Machine(device, precision, workers)


@contextlib.contextmanager
def settings(threads: int | None) -> Iterator[None]:
    """Deterministic kernels without TF32, torch's threads, and freed memory kept, for the length of a block."""
    kernels = torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False)
    with torch_threads(threads or torch.get_num_threads()), freed_memory_kept(), kernels:
        yield


def _native_precision(device: torch.device) -> str:
    """Half precision pays only where the processor multiplies in it: emulated bfloat16 is slower than float32."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if native else "float32"
