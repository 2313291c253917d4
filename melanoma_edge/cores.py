"""The cores of this machine, and work side by side on them whose sums have one order.

An operation that several threads share adds up in an order that goes with their number. So each operation gets one
thread, and the cores are used by operations on several batches at once, whose results come back in the batches' order.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

MOST = 4  # items in work at once: each holds the activations of a batch
_lock = threading.Lock()
_blocks: list[tuple[object, int]] = []  # of `torch_threads`: each with the threads before the first
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Workers:
    """Threads on which torch computes each operation alone. See `side_by_side`."""

    pool: ThreadPoolExecutor
    count: int

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """`work` of each item, in the order of the items, which are drawn as they are needed."""
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(self.pool.submit(work, item))
            if len(waiting) > self.count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """torch computes the operations of this thread on `count` threads, for the length of a block. Blocks may lie within
    each other and in several threads: after the last one the whole process has the number that it had before the first.
    """
    import torch

    own, block = torch.get_num_threads(), object()
    with _lock:
        before = _blocks[0][1] if _blocks else own  # what a thread sets, threads that start later have
        _blocks.append((block, before))
    _set(count)
    try:
        yield
    finally:
        _set(own)
        with _lock:
            _blocks.remove((block, before))
            if not _blocks:
                _set(before)


@contextmanager
def single_threaded() -> Iterator[None]:
    """torch and the BLAS of NumPy and SciPy compute each operation on one thread, for the length of a block."""
    from threadpoolctl import threadpool_limits

    with torch_threads(1), threadpool_limits(1, user_api="blas"):
        yield


@contextmanager
def side_by_side() -> Iterator[Workers]:
    """Workers for the length of a block, within which everything is `single_threaded`: the same work gives the same
    bits on any number of cores. Gradient modes of torch are each thread's own, so `work` sets them itself.
    """
    count = min(usable_cores(), MOST)
    # OpenMP has a number of threads for each thread that starts some
    with single_threaded(), ThreadPoolExecutor(count, initializer=_set, initargs=(1,)) as pool:
        yield Workers(pool, count)


def _set(count: int) -> None:
    import torch

    if torch.get_num_threads() != count:
        torch.set_num_threads(count)
