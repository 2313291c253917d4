"""The full-precision reference in torch, on the CPU or a GPU, in IEEE float32."""

import contextlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.cores import torch_threads
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.runtime.predict import Logits, Predict

if TYPE_CHECKING:
    import torch

PACKAGE = "torch"
DEVICES = ("auto", "cpu", "cuda")


def available() -> str | None:
    """None when torch is installed, else one line on how to get it."""
    return None if importlib.util.find_spec(PACKAGE) else "torch is not installed: pip install torch torchvision"


def version() -> str:
    """The installed version."""
    return importlib.metadata.version(PACKAGE)


def versions() -> dict[str, str]:
    """The installed package."""
    return {PACKAGE: version()}


def imports() -> tuple[str, ...]:
    """Modules that are imported with a network."""
    return PACKAGE, "torchvision", "timm", "melanoma_edge.train.weights"


def load(
    path: Path, spec: Preprocessing | None = None, *, threads: int = 1, device: str = "auto", batch: int = 32
) -> Predict:
    """A checkpoint (.safetensors) that `train` wrote. `batch` images a run.

    device: "auto" takes the GPU when there is one. Raises InputError when the file is corrupt or not of `spec.size`,
    and for an unknown or missing device.
    """
    from melanoma_edge.train.weights import load_model

    model, made_with = load_model(path)
    side = made_with.spec.image_size
    if spec is not None and side != spec.size:
        raise InputError(f"{path} takes images of {side} pixels, but the preprocessing makes {spec.size}")
    return wrap(model, spec or Preprocessing(side), threads=threads, device=device, batch=batch)


def wrap(
    model: "torch.nn.Module", spec: Preprocessing, *, threads: int = 1, device: str = "auto", batch: int = 32
) -> Predict:
    """A network in memory, float32 `[N, 3, S, S]` to logits `[N, K]`; moved to the device and set to eval mode."""
    import torch

    where = torch.device(_device(device))
    network = model.to(where).eval()

    def prepare(images: NDArray[np.float32]) -> Callable[[], Logits]:
        tensor = torch.from_numpy(images).to(where)

        def run() -> Logits:
            exact = full_float32() if where.type == "cuda" else contextlib.nullcontext()
            with torch_threads(threads), torch.inference_mode(), exact:
                logits: Logits = network(tensor).float().cpu().numpy()  # the copy waits for the GPU
            return logits

        return run

    name = torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu"
    return Predict(PACKAGE, torch.__version__, name, threads, spec, batch, "NCHW", prepare)


def on_device(path: Path, precision: str, device: str = "cuda") -> Callable[[int], Callable[[], object]]:
    """For timing: a number of images to a call that runs the network on as many, which lie on the device already.

    precision: "float32" or "float16", of weights and images. The call does not wait for a GPU and copies nothing back.
    """
    import torch

    from melanoma_edge.train.weights import load_model

    model, made_with = load_model(path)
    side, kind = made_with.spec.image_size, getattr(torch, precision)
    network = model.to(device, kind).eval()

    def on(count: int) -> Callable[[], object]:
        images = torch.zeros((count, 3, side, side), device=device, dtype=kind)

        def run() -> object:
            with torch.inference_mode():
                return network(images)

        return run

    return on


def gpu() -> str | None:
    """Name of the GPU that "auto" would take, None without one."""
    if missing_gpu() is not None:
        return None
    import torch

    return str(torch.cuda.get_device_name())


def missing_gpu() -> str | None:
    """None when torch can use a CUDA GPU, else one line on what was found instead."""
    if available() is not None:
        return available()
    import torch

    if torch.cuda.is_available():
        return None
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    return f"no CUDA GPU that torch can use was found (torch {torch.__version__}, {built})"


def _device(wanted: str) -> str:
    """What a wished device comes to here: "cpu" or "cuda"."""
    import torch

    if wanted not in DEVICES:
        raise InputError(f"unknown device {wanted!r}: known are {', '.join(DEVICES)}")
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise InputError(f"{missing_gpu()}: leave the device at auto or cpu")
    return "cuda" if found and wanted != "cpu" else "cpu"


@contextlib.contextmanager
def full_float32() -> Iterator[None]:
    """No TF32 (inputs rounded to 10 bits of mantissa), and the same kernel every time, for the length of a block."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
