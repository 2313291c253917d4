"""TFLite files through ai-edge-litert, tflite-runtime (which it replaced) or TensorFlow: the first one installed."""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.runtime.predict import HeatMap, Logits, Predict, agree

# Distribution to (module to look for, module that has Interpreter), in order of preference.
PACKAGES = {
    "ai-edge-litert": ("ai_edge_litert", "ai_edge_litert.interpreter"),
    "tflite-runtime": ("tflite_runtime", "tflite_runtime.interpreter"),
    "tensorflow": ("tensorflow", "tensorflow.lite.python.interpreter"),
}

_STDERR = threading.Lock()  # two threads that swap it at once would leave it closed


def installed() -> tuple[str, ...]:
    """The installed packages that have an interpreter, best first."""
    return tuple(name for name, (module, _) in PACKAGES.items() if importlib.util.find_spec(module))


def available() -> str | None:
    """None when one of PACKAGES is installed, else one line on how to get one."""
    return None if installed() else f"none of {', '.join(PACKAGES)} is installed: pip install ai-edge-litert"


def version(package: str | None = None) -> str:
    """The version of `package`, by default of the first one installed."""
    name = package or _choose(None)
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # tensorflow-cpu and its like provide the same module
        return importlib.metadata.version(importlib.metadata.packages_distributions()[PACKAGES[name][0]][0])


def versions() -> dict[str, str]:
    """Of `installed`."""
    return {package: version(package) for package in installed()}


def imports() -> tuple[str, ...]:
    """Modules that are imported with the interpreter. Raises InputError when none is installed."""
    return (PACKAGES[_choose(None)][1],)


def load(
    path: Path,
    spec: Preprocessing | None = None,
    *,
    threads: int = 1,
    device: str = "auto",
    package: str | None = None,
) -> Predict:
    """An interpreter of a .tflite file: float32 `[1, S, S, 3]` to float32 logits `[1, K]`, one image a run.

    With a second output `heat_map` `[1, h, w, 1]` its heat maps can be asked for.

    device: the processor, whatever it says. package: one of PACKAGES, to force it. Raises InputError when the file is
    corrupt, lies outside that contract or is not of `spec.size`, and when the package is not installed.
    """
    chosen = _choose(package)
    interpreter = allocate(path, threads=threads, package=chosen)
    ends = (interpreter.get_input_details(), interpreter.get_output_details())
    inputs, outputs = ([(t["name"], _shape(t), np.dtype(t["dtype"]).name) for t in side] for side in ends)
    agreed = agree(path, inputs, outputs, "NHWC", spec)
    image, logits, *maps = (tensor["index"] for tensor in (*ends[0], *ends[1]))

    def run() -> Logits:
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(logits), np.float32)

    def prepare(batch: NDArray[np.float32]) -> Callable[[], Logits]:
        interpreter.set_tensor(image, batch)
        return run

    def explain(batch: NDArray[np.float32]) -> HeatMap:
        prepare(batch)()
        return np.asarray(interpreter.get_tensor(maps[0])[..., 0], np.float32)

    return Predict(chosen, version(chosen), "cpu", threads, agreed, 1, "NHWC", prepare, explain if maps else None)


def allocate(path: Path, *, threads: int = 1, package: str | None = None) -> Any:
    """An Interpreter with its tensors allocated and the default delegate (XNNPACK) applied.

    Raises InputError when the file is not a model that the package can run, or the package is not installed.
    """
    chosen = _choose(package)
    module = importlib.import_module(PACKAGES[chosen][1])
    try:
        with _quiet():
            interpreter = module.Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not a model that {chosen} {version(chosen)} can run: {reason}") from None
    return interpreter


def _choose(package: str | None) -> str:
    found = installed()
    if package is None and found:
        return found[0]
    if package is None or package not in PACKAGES:
        raise InputError(available() or f"unknown TFLite package {package!r}: known are {', '.join(PACKAGES)}")
    if package not in found:
        raise InputError(f"{package} is not installed: pip install {package}; installed: {', '.join(found) or 'none'}")
    return package


def _shape(tensor: dict[str, Any]) -> list[int]:
    return [int(side) for side in tensor["shape"]]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what the C++ runtime writes to stderr about its delegate; what goes wrong arrives as an exception."""
    with _STDERR:
        kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nothing)
