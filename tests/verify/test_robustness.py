"""How far probabilities move, against figures worked out by hand and by numpy and scipy."""

import math

import numpy as np
import pytest
from scipy.stats import pearsonr

from melanoma_edge.verify.robustness import Change, Moved, Unchanged, moved, moved_file, robustness

RNG = np.random.default_rng(5)
BEFORE, AFTER, OWN_BEFORE, OWN_AFTER = RNG.uniform(0, 1, (4, 80))


def test_moved_by_hand() -> None:
    found = moved(np.array([0.1, 0.6, 0.4]), np.array([0.2, 0.4, 0.4]), 0.5)
    assert (found.mean_abs_dp, found.max_abs_dp, found.flips) == (pytest.approx(0.1), pytest.approx(0.2), 1)


def test_a_file_that_is_the_reference_moves_with_it() -> None:
    found = moved_file("a", (BEFORE, AFTER), (BEFORE, AFTER), 0.5)
    assert (found.correlation, found.mean_abs_difference, found.flips_apart) == (pytest.approx(1), 0, 0)


def test_a_file_that_moves_the_other_way_has_a_negative_correlation() -> None:
    found = moved_file("a", (BEFORE, AFTER), (BEFORE, 2 * BEFORE - AFTER), 0.5)
    assert found.correlation == pytest.approx(-1)
    assert found.mean_abs_difference == pytest.approx(2 * np.abs(AFTER - BEFORE).mean())


def test_correlation_is_scipys() -> None:
    found = moved_file("a", (BEFORE, AFTER), (OWN_BEFORE, OWN_AFTER), 0.5)
    expected = pearsonr(AFTER - BEFORE, OWN_AFTER - OWN_BEFORE).statistic
    assert found.correlation == pytest.approx(expected, abs=1e-12)
    assert found.flips_apart == np.sum((AFTER >= 0.5) != (OWN_AFTER >= 0.5))


def test_a_change_that_moves_nothing_has_no_correlation() -> None:
    assert math.isnan(moved_file("a", (BEFORE, BEFORE), (OWN_BEFORE, OWN_AFTER), 0.5).correlation)


def test_the_document_compares_each_row_with_the_first() -> None:
    reference, own = np.stack([BEFORE, AFTER, BEFORE]), np.stack([OWN_BEFORE, OWN_AFTER, OWN_BEFORE])
    changes = [Change("blur", s, "%") for s in (1, 2)]
    told = robustness(changes, "r", reference, {"a": own}, np.arange(80) < 30, 0.5)
    assert (told.images, told.melanomas) == (80, 30)
    first, second = told.changes
    assert first.strength == 1 and first.reference.mean_abs_dp == pytest.approx(np.abs(AFTER - BEFORE).mean())
    assert second.reference == Moved(0, 0, 0)
    assert second.artifacts[0].correlation is None and second.artifacts[0].flips == 0
    apart = np.sum((BEFORE >= 0.5) != (OWN_BEFORE >= 0.5))
    assert told.unchanged == (Unchanged("a", apart),)


def test_answers_that_are_no_numbers_are_flips_and_null() -> None:
    own = np.stack([OWN_BEFORE, np.full(80, np.nan)])
    told = robustness([Change("blur", 1, "%")], "r", np.stack([BEFORE, AFTER]), {"a": own}, np.arange(80) < 30, 0.5)
    row = told.changes[0].artifacts[0]
    assert row.mean_abs_dp is None and row.flips == 80 == row.flips_apart
