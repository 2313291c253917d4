"""Latency of several networks in one process: interleaved, paired by round, and fair to each runtime's threads.

Interleaving makes a slow second of the machine hit every network alike. Done plainly it also makes them disturb each
other; measured with MobileNetV2 on 2 threads of 2 cores, torch, ONNX Runtime and LiteRT taking turns:

- Worker threads of the network that has just run spin while they wait for more work, and hold the core that the next
  one needs: torch's median rose from 5.5-8 ms alone to 15-23 (p90 over 50), LiteRT's from 0.9-1.3 to 2.5-4.
- ONNX Runtime can be told to stop spinning when a run ends (runtime/ort.py does). Within a run it spins as it does by
  default: forbidding that as well made it slower, 2.2 ms against 1.9. torch's OpenMP cannot be told once it is loaded.
- So every timed run directly follows an untimed run of the same network. Foreign spinning has ended by then, and the
  caches hold this network's weights, as they do in an app that runs it again and again. Both together: torch 5.5-6 ms
  (p90 under 7), LiteRT 0.95-1.35, ONNX Runtime 1.6. Sleeping between runs instead made the p90 worse.

With one thread there are no workers; the untimed run then only warms the caches.
"""

import gc
import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.bench.document import Latency, Ratio
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

METHOD = (
    "One process; in every round each network runs once, in random order, directly after an untimed run of its own. "
    "ONNX Runtime's threads stop spinning when a run ends. Only the network is timed, one image at a time."
)
WARM_UP = 10  # untimed runs of each network before the first round
RESAMPLES = 2000

Nanoseconds = NDArray[np.int64]


def interleave(
    calls: Mapping[str, Callable[[], object]],
    *,
    runs: int = 100,
    seed: int = 0,
    clock: Callable[[], int] = time.perf_counter_ns,
    progress: Progress = silent,
) -> dict[str, Nanoseconds]:
    """Time every call once a round; nanoseconds `[runs]` by name, paired by round.

    The garbage collector rests meanwhile. Raises InputError when `runs` is below 1.
    """
    if runs < 1:
        raise InputError(f"{runs} timed runs: at least 1 is needed, and 100 for a figure to be published")
    times = {name: np.zeros(runs, np.int64) for name in calls}
    names, rng = list(calls), np.random.default_rng(seed)
    for call in calls.values():
        for _ in range(WARM_UP):
            call()
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for round_ in range(runs):
            for i in rng.permutation(len(names)):
                call = calls[names[i]]
                call()
                started = clock()
                call()
                times[names[i]][round_] = clock() - started
            progress("timing", round_ + 1, runs)
    finally:
        if collecting:
            gc.enable()
    return times


def summarize(times: Nanoseconds, threads: int) -> Latency:
    """Percentiles of one network's runs (linear between neighbours)."""
    p50, p90, p99 = (float(value) for value in np.percentile(times / 1e6, [50, 90, 99]))
    return Latency(p50, p90, p99, len(times), threads)


def ratio(times: Nanoseconds, baseline: Nanoseconds, seed: int = 0) -> Ratio:
    """Ratio of the medians of two networks that were timed together; paired bootstrap over rounds (Efron, 1979)."""
    rounds = np.random.default_rng(seed).integers(0, len(times), (RESAMPLES, len(times)))
    resampled = np.median(times[rounds], axis=1) / np.median(baseline[rounds], axis=1)
    low, high = (float(value) for value in np.percentile(resampled, [2.5, 97.5]))
    return Ratio(float(np.median(times) / np.median(baseline)), low, high)
