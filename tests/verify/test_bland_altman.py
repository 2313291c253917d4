"""Limits of agreement: Bland and Altman's own peak flow meters, and the points that are kept for drawing."""

import numpy as np
import pytest

from melanoma_edge.verify.bland_altman import bland_altman

# First readings with the Wright and the mini Wright meter, table 1 of the paper, l/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_papers_own_example() -> None:
    """Mean difference -2.1, standard deviation 38.8; limits -79.7 and 75.5 with the paper's two standard deviations."""
    found = bland_altman(np.array(MINI, float), np.array(WRIGHT, float))
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(38.8, abs=0.05)
    assert found.low == pytest.approx(found.bias - 1.96 * 38.765, abs=0.01)
    assert found.outside == pytest.approx(1 / 17)  # 178 and 259
    assert found.points[0] == (503.0, -18.0)


def test_of_many_images_the_largest_differences_are_kept() -> None:
    rng = np.random.default_rng(0)
    before, difference = rng.random(10_000), rng.normal(0, 0.01, 10_000)
    found = bland_altman(before, before + difference, most=200)
    assert len(found.points) == 200
    drawn = np.abs([d for _, d in found.points])
    assert np.sort(drawn)[-100:] == pytest.approx(np.sort(np.abs(difference))[-100:], rel=0.01)
    assert found.outside == pytest.approx(0.05, abs=0.01)


def test_nothing_and_no_number_have_no_limits() -> None:
    for scores in ([], [0.1], [0.1, np.nan, 0.3]):
        found = bland_altman(np.zeros(len(scores)), np.array(scores))
        assert np.isnan([found.bias, found.low, found.high, found.outside]).all() and found.points == ()
