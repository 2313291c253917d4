import numpy as np
import pytest
from scipy.stats import pearsonr

from melanoma_edge.verify.heat_maps import OUTCOMES, cases, correlations
from melanoma_edge.verify.predictions import Predictions


def test_correlations_are_scipys() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(5, 7, 6)).astype(np.float32)
    others = (maps + rng.normal(size=maps.shape)).astype(np.float32)
    expected = [
        pearsonr(a.ravel().astype(float), b.ravel().astype(float)).statistic for a, b in zip(maps, others, strict=True)
    ]
    assert correlations(maps, others) == pytest.approx(expected, abs=1e-12)


def test_shift_and_factor_change_nothing_and_a_constant_map_has_no_correlation() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 4, 4))
    found = correlations(maps, np.stack([3 * maps[0] + 2, np.ones((4, 4))]))
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1])


def test_cases_are_the_surest_of_each_outcome() -> None:
    p = np.array([0.9, 0.99, 0.6, 0.1, 0.02, 0.8, 0.7, 0.3, 0.01, np.nan])
    labels = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    logits = np.stack([np.zeros(len(p)), np.log(p / (1 - p))], axis=1).astype(np.float32)
    ids = tuple(f"im{i}" for i in range(len(p)))
    truth = Predictions(ids, ("test",) * len(p), labels, logits, 1, ("other", "melanoma"))
    found = [(case.row, case.outcome) for case in cases(truth, 0.5, few=2)]
    rows = {outcome: [row for row, name in found if name == outcome] for outcome in OUTCOMES}
    assert rows == {
        "true positive": [1, 0],
        "false negative": [4, 3],
        "false positive": [5, 6],
        "true negative": [8, 7],
    }
