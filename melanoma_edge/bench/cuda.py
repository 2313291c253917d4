"""The full-precision network on a CUDA GPU: torch in float32 and float16, and ONNX Runtime where it has CUDA.

Each network is timed one image at a time, and at the batch that brings most images a second.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_edge import formats
from melanoma_edge.bench.document import CudaReport, CudaRow
from melanoma_edge.bench.latency import WARM_UP, summarize
from melanoma_edge.bench.machine import machine
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.runtime import pytorch

METHOD = (
    "Device events around the network alone, its images in the GPU's memory, by turns in random order, after "
    f"{WARM_UP} untimed runs. TF32 is off. The larger batch is the smallest that comes within 2 % of the most images "
    "a second."
)
FULL = "the GPU has no memory for one image: free some"
MOST = 1024  # images in a batch
ENOUGH = 0.98  # of the best throughput
GAIN = 1.02  # a doubling that brings less is idle; two idle ones in a row end the search
SEARCH_RUNS = 10

Stopwatch = Callable[[Callable[[], object]], float]  # milliseconds of one call


@dataclass(frozen=True)
class Network:
    """A network on the device. on: a number of images to the call that runs on as many. fixed: takes one image only."""

    name: str
    runtime: str
    version: str
    precision: str
    on: Callable[[int], Callable[[], object]]
    fixed: bool = False


@dataclass(frozen=True)
class Batch:
    """A batch that was tried; milliseconds: its median."""

    size: int
    milliseconds: float

    @property
    def images_per_second(self) -> float:
        """Throughput."""
        return 1000 * self.size / self.milliseconds


def bench_cuda(files: Mapping[str, Path], *, runs: int = 100, progress: Progress = silent) -> CudaReport:
    """The .safetensors and float .onnx files on the GPU; the others are listed as skipped.

    Raises InputError, saying what was found, when there is no GPU that torch can use, or no such file.
    """
    missing = pytorch.missing_gpu()
    if missing is not None:
        raise InputError(f"nothing can be timed on a GPU: {missing}; without --device the CPU is timed")
    networks = [network for name, path in files.items() for network in _networks(name, path)]
    if not networks:
        raise InputError(f"nothing to time on a GPU: name a .safetensors or float .onnx file, not {', '.join(files)}")
    timed = {network.name for network in networks}
    with pytorch.full_float32():
        rows = time_networks(networks, _events, runs=runs, progress=progress)
    skipped = tuple(name for name in files if name not in timed)
    return CudaReport(METHOD, pytorch.gpu(), tuple(rows), skipped, machine())


def time_networks(
    networks: Sequence[Network], stopwatch: Stopwatch, *, runs: int, progress: Progress = silent
) -> list[CudaRow]:
    """Two rows a network: batch 1, timed by turns, and the batch with most images a second, where it takes several."""
    calls = [_warm(network) for network in networks]
    times = np.zeros((len(networks), runs))
    rng = np.random.default_rng(0)
    for round_ in range(runs):
        for i in rng.permutation(len(networks)):
            times[i, round_] = stopwatch(calls[i])
        progress("timing on the GPU", round_ + 1, runs)
    rows = []
    for network, milliseconds in zip(networks, times, strict=True):
        rows.append(_row(network, 1, milliseconds))
        if network.fixed:
            continue
        batch = best(search(lambda size, network=network: _median(network, size, stopwatch)))  # type: ignore[misc]
        if batch.size > 1:
            call = network.on(batch.size)
            rows.append(_row(network, batch.size, np.array([stopwatch(call) for _ in range(runs)])))
    return rows


def search(measure: Callable[[int], float | None], most: int = MOST) -> list[Batch]:
    """Try 1, 2, 4... images a batch until two doublings in a row bring nothing, memory ends, or `most` is reached.

    measure: images in a batch to its milliseconds, None when the device has no memory for it.
    """
    tried: list[Batch] = []
    idle, size = 0, 1
    while size <= most and idle < 2:
        milliseconds = measure(size)
        if milliseconds is None:
            break
        highest = max((batch.images_per_second for batch in tried), default=0.0)
        tried.append(Batch(size, milliseconds))
        idle = 0 if tried[-1].images_per_second >= GAIN * highest else idle + 1
        size *= 2
    if not tried:
        raise InputError(FULL)
    return tried


def best(tried: Sequence[Batch]) -> Batch:
    """The smallest batch whose throughput is all but the highest: a larger one only makes its first image wait."""
    enough = ENOUGH * max(batch.images_per_second for batch in tried)
    return next(batch for batch in tried if batch.images_per_second >= enough)


def _row(network: Network, batch: int, milliseconds: NDArray[np.float64]) -> CudaRow:
    latency = summarize((milliseconds * 1e6).astype(np.int64), threads=1)
    return CudaRow(
        name=network.name,
        runtime=network.runtime,
        version=network.version,
        precision=network.precision,
        batch=batch,
        p50=latency.p50,
        p90=latency.p90,
        p99=latency.p99,
        runs=latency.runs,
        images_per_second=1000 * batch / latency.p50,
    )


def _warm(network: Network) -> Callable[[], object]:
    """A network on one image, run a few times. Raises InputError when the device has no memory for it."""
    import torch

    try:
        call = network.on(1)
        for _ in range(WARM_UP):
            call()
    except torch.OutOfMemoryError:
        raise InputError(FULL) from None
    return call


def _median(network: Network, size: int, stopwatch: Stopwatch) -> float | None:
    """Milliseconds of a batch, None when the device has no memory for it."""
    import torch

    try:
        call = network.on(size)
        call()
        return float(np.median([stopwatch(call) for _ in range(SEARCH_RUNS)]))
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return None


def _networks(name: str, path: Path) -> Iterator[Network]:
    form = formats.of(path)
    for network in form.on_gpu(path):
        version = form.engine().versions()[form.package]
        yield Network(name, form.package, version, network.precision, network.on, network.fixed)


def _events(call: Callable[[], object]) -> float:
    """Milliseconds between two events on the GPU, one before and one behind the call."""
    import torch

    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    start.record()
    call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end))
