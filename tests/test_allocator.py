"""Freed memory is kept within the block, returned after it, and nothing is asked of other C libraries."""

import resource
import threading

import pytest

from melanoma_edge import allocator
from melanoma_edge.allocator import freed_memory_kept

SIZE = 64 << 20
needs_glibc = pytest.mark.skipif(allocator._glibc() is None, reason="the C library is not glibc")


def faults() -> int:
    """Pages that the kernel gives for five large blocks, each freed before the next."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        assert (bytearray(b"x") * SIZE)[-1] == ord("x")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@needs_glibc
def test_large_blocks_cost_their_pages_once_within_and_each_time_outside():
    outside = faults()
    with freed_memory_kept():
        faults()
        within = faults()
    assert within < outside / 4
    assert faults() > outside / 2


@needs_glibc
def test_only_the_last_of_blocks_within_each_other_and_in_threads_returns_it():
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with freed_memory_kept():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(60)
    with freed_memory_kept(), freed_memory_kept():
        pass
    faults()
    kept = faults()
    leave.set()
    thread.join()
    assert kept < faults() / 4
    assert not allocator._blocks


@needs_glibc
def test_an_error_ends_the_block_too():
    with pytest.raises(ValueError, match="from within"), freed_memory_kept():
        raise ValueError("from within")
    assert not allocator._blocks


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    with freed_memory_kept():
        assert not allocator._blocks
