"""Work side by side: in order, each operation on one thread, and afterwards everything as before."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from threadpoolctl import threadpool_info

from melanoma_edge import cores
from melanoma_edge.cores import side_by_side, single_threaded, torch_threads


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def blas() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_everything_is_on_one_thread_within_and_as_before_behind():
    before = blas()
    with single_threaded():
        assert torch.get_num_threads() == 1 and blas() <= {1}
    assert torch.get_num_threads() == 3 and blas() == before
    with pytest.raises(ValueError, match="inside"), single_threaded():
        raise ValueError("inside")
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order_from_threads_that_share_no_operation(monkeypatch, count):
    monkeypatch.setattr(cores, "usable_cores", lambda: count)
    meet = threading.Barrier(min(count, cores.MOST), timeout=10)

    def work(item: int) -> tuple[int, int]:
        if item < min(count, cores.MOST):
            meet.wait()  # so many are in work at once
        return item, torch.get_num_threads()

    with side_by_side() as workers:
        assert list(workers.map(work, range(20))) == [(item, 1) for item in range(20)]
    assert torch.get_num_threads() == 3


def test_items_are_drawn_as_they_are_needed(monkeypatch):
    monkeypatch.setattr(cores, "usable_cores", lambda: 2)
    drawn = []
    with side_by_side() as workers:
        results = workers.map(lambda item: item, (drawn.append(i) or i for i in range(100)))
        assert next(results) == 0
        assert len(drawn) <= 3


def test_blocks_in_several_threads_leave_the_number_that_was_there():
    inside, leave = threading.Barrier(2, timeout=10), threading.Event()

    def run(count: int) -> int:
        with torch_threads(count):
            inside.wait()
            leave.wait(10)
            return torch.get_num_threads()

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(run, count) for count in (1, 2)]
        leave.set()
        assert [one.result() for one in waiting] == [1, 2]
    seen = []
    late = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    late.start()
    late.join()
    assert (torch.get_num_threads(), seen) == (3, [3])
