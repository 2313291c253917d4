"""Time model files side by side: latency at several thread counts, loading, size, delegate partitions, the machine."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from melanoma_edge import formats
from melanoma_edge.bench import latency, profilers
from melanoma_edge.bench.cuda import bench_cuda
from melanoma_edge.bench.document import BenchReport, BenchRow, CudaReport
from melanoma_edge.bench.machine import machine
from melanoma_edge.bench.memory import peak_memory
from melanoma_edge.bench.preparing import preparing
from melanoma_edge.cores import usable_cores
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.runtime import pytorch
from melanoma_edge.runtime.predict import Predict

SEED = 0
PREPARED = 30  # photographs decoded: enough for a median


@dataclass(frozen=True)
class _Loaded:
    """A network, its run on one image, and its cold start in milliseconds."""

    predict: Predict
    run: Callable[[], object]
    load_ms: float
    first_run_ms: float


def bench(
    files: Mapping[str, Path],
    *,
    baseline: str | None = None,
    threads: Sequence[int] = (1, 2),
    runs: int = 100,
    progress: Progress = silent,
) -> BenchReport:
    """Latency and memory of every file. files: a name of your choice to a model file.

    baseline: the name whose median the ratios divide by, by default the first. A number of threads above this process's
    cores is left out, since threads that wait for each other's core measure the scheduler. Preparing is for the input
    of the baseline.
    Raises InputError when a file cannot be run, there is none, or no thread count is left.
    """
    if not files:
        raise InputError(f"nothing to time: name at least one file that ends in {formats.suffixes()}")
    first = baseline or next(iter(files))
    if first not in files:
        raise InputError(f"baseline {first!r} is none of the files to time: {', '.join(files)}")
    possible = [count for count in threads if count <= usable_cores()]
    if not possible:
        asked = ", ".join(map(str, threads))
        raise InputError(f"no thread count to time: asked for {asked}, at most {usable_cores()} cores can be used here")
    memory = _memory(files, progress)
    rows = [row for count in possible for row in _rows(files, first, count, runs, memory, progress)]
    return BenchReport(
        method=latency.METHOD,
        baseline=first,
        machine=machine(),
        load_average=os.getloadavg() if hasattr(os, "getloadavg") else None,
        skipped_threads=tuple(count for count in threads if count not in possible),
        rows=tuple(rows),
        gpu=_gpu(files, runs, progress),
        preparing=(preparing(formats.load(files[first]).spec.size, runs=min(runs, PREPARED)),),
    )


def _gpu(files: Mapping[str, Path], runs: int, progress: Progress) -> CudaReport | None:
    """The reference's device beside the artifacts'; nothing fails where there is no GPU."""
    if not any(formats.of(path).gpu for path in files.values()) or pytorch.gpu() is None:
        return None
    return replace(bench_cuda(files, runs=runs, progress=progress), machine=None)


def _memory(files: Mapping[str, Path], progress: Progress) -> dict[str, int | None]:
    """Peak memory of every file, each in a process of its own."""
    peaks = {}
    for name, path in files.items():
        peaks[name] = peak_memory(path)
        progress("measuring memory", len(peaks), len(files))
    return peaks


def _rows(
    files: Mapping[str, Path],
    baseline: str,
    threads: int,
    runs: int,
    memory: Mapping[str, int | None],
    progress: Progress,
) -> Iterator[BenchRow]:
    """One row per file at one thread count. memory: bytes by name."""

    def on_threads(task: str, done: int, total: int, detail: str = "") -> None:
        progress(f"{task}, {threads} thread{'s' * (threads > 1)}", done, total, detail)

    loaded = {name: _load(path, threads) for name, path in files.items()}
    times = latency.interleave({name: network.run for name, network in loaded.items()}, runs=runs, progress=on_threads)
    for name, network in loaded.items():
        profiler = profilers.of(files[name])
        parts = profiler.partitions(files[name]) if profiler else None
        figures = latency.summarize(times[name], threads)
        yield BenchRow(
            name=name,
            runtime=network.predict.runtime,
            runtime_version=network.predict.version,
            device=network.predict.device,
            bytes=files[name].stat().st_size,
            p50=figures.p50,
            p90=figures.p90,
            p99=figures.p99,
            runs=figures.runs,
            threads=figures.threads,
            ratio=latency.ratio(times[name], times[baseline]),
            load_ms=network.load_ms,
            first_run_ms=network.first_run_ms,
            partitions=parts.partitions if parts else None,
            operators=parts.operators if parts else None,
            outside_delegate=parts.outside if parts else None,
            peak_memory_bytes=memory[name],
        )


def _load(path: Path, threads: int) -> _Loaded:
    """A network with one image in place, and its cold start.

    Loaded twice: the first time pays for importing the runtime and for reading the file from disk, which are no
    property of the network.
    """
    formats.load(path, threads=threads, device="cpu")
    started = time.perf_counter_ns()
    predict = formats.load(path, threads=threads, device="cpu")
    loaded = time.perf_counter_ns()
    # Dense networks take the same time for any image.
    size = predict.spec.size
    run = predict.prepared(np.random.default_rng(SEED).integers(0, 256, (size, size, 3), np.uint8))
    prepared = time.perf_counter_ns()
    run()
    ran = time.perf_counter_ns()
    return _Loaded(predict, run, (loaded - started) / 1e6, (ran - prepared) / 1e6)
