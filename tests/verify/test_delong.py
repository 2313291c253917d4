"""DeLong's variance against its definition, and against the figures that its authors' data give elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from melanoma_edge.verify.delong import delong

# Albumin, total protein, K-G score and outcome of 43 patients: the data of the paper, as printed in the SAS/STAT guide.
OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1 3.7 6.7 6 1
3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1
3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1
3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1
3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""


def definition(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair compared, as the paper writes it."""
    melanomas, others = scores[:, positive], scores[:, ~positive]
    psi = (melanomas[:, :, None] > others[:, None]) + 0.5 * (melanomas[:, :, None] == others[:, None])
    rows, columns = psi.mean(axis=2), psi.mean(axis=1)
    return psi.mean(axis=(1, 2)), np.cov(rows) / melanomas.shape[1] + np.cov(columns) / others.shape[1]


@given(st.integers(2, 30), st.integers(2, 40), st.integers(0, 999), st.integers(2, 50))
def test_it_is_what_the_paper_defines(melanomas: int, others: int, seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    positive = rng.permutation(np.arange(melanomas + others) < melanomas)
    scores = rng.integers(0, levels, (2, len(positive))).astype(float)
    found, (aucs, covariance) = delong(positive, scores), definition(positive, scores)
    np.testing.assert_allclose(found.aucs, aucs, atol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)
    np.testing.assert_allclose(found.aucs, [roc_auc_score(positive, row) for row in scores], atol=1e-12)


def test_the_papers_own_patients() -> None:
    albumin, protein, score, outcome = np.array(OVARIAN.split(), float).reshape(-1, 4).T
    found = delong(outcome == 1, np.array([albumin, 10 - score, protein]))
    np.testing.assert_allclose(found.aucs, [0.7366, 0.7258, 0.6478], atol=5e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), [0.0927, 0.1028, 0.1000], atol=5e-5)
    np.testing.assert_allclose(found.interval(0), (0.5549, 0.9182), atol=1e-4)


def test_one_network_against_itself_does_not_differ() -> None:
    positive, score = np.arange(20) % 3 == 0, np.random.default_rng(0).random(20)
    assert delong(positive, np.array([score, score])).difference() == pytest.approx((0, 0, 0, 1))


def test_it_finds_the_difference_that_is_there_as_often_as_it_says() -> None:
    rng, found = np.random.default_rng(1), []
    for _ in range(400):
        positive = np.arange(200) < 60
        shared = rng.normal(size=200) + 1.5 * positive
        found.append(delong(positive, shared + 0.6 * rng.normal(size=(2, 200))).difference()[3])
    assert 0.02 < np.mean(np.array(found) < 0.05) < 0.09


@pytest.mark.parametrize("positive", [[True, False, False], [True, True, True], [False, True, True]])
def test_too_few_of_a_class_is_undefined(positive: list[bool]) -> None:
    found = delong(np.array(positive), np.random.default_rng(0).random((2, 3)))
    assert np.isnan(found.aucs).all() and np.isnan(found.difference()).all()
