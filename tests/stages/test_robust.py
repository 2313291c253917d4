"""Which images are changed."""

import numpy as np
import pytest

from melanoma_edge.stages.robust import choose

MELANOMAS = np.arange(200) % 10 == 0  # 20 of 200


@pytest.mark.parametrize(("count", "melanomas"), [(10, 5), (30, 15), (100, 20), (195, 20), (500, 20)])
def test_half_are_melanomas_as_far_as_there_are(count: int, melanomas: int) -> None:
    chosen = choose(MELANOMAS, count, 0)
    assert len(chosen) == min(count, 200) == len(set(chosen.tolist()))
    assert MELANOMAS[chosen].sum() == melanomas
    assert np.array_equal(chosen, np.sort(chosen))


def test_melanomas_fill_up_where_others_are_few() -> None:
    assert (~MELANOMAS)[choose(~MELANOMAS, 100, 0)].sum() == 80


def test_the_seed_decides() -> None:
    assert np.array_equal(choose(MELANOMAS, 30, 1), choose(MELANOMAS, 30, 1))
    assert not np.array_equal(choose(MELANOMAS, 30, 1), choose(MELANOMAS, 30, 2))
