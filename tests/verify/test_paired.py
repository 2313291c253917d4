"""Paired decisions: exact McNemar, Tango's interval from its definition, and verdicts with the images they lack."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from melanoma_edge.verify.paired import INFERIOR, NOT_INFERIOR, UNKNOWN, mcnemar, non_inferiority, tango

COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 300)).filter(lambda c: sum(c) > 0)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_that_of_statsmodels(lost: int, gained: int) -> None:
    table = [[50, lost], [gained, 20]]
    assert mcnemar(lost, gained) == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, abs=1e-12)


def score(lost: int, gained: int, cases: int, delta: float) -> float:
    """Tango's statistic with its nuisance parameter found by maximising the likelihood itself."""

    def against(q: float) -> float:  # q: chance to lose; q + delta: to gain
        chances = ((lost, q), (gained, q + delta), (cases - lost - gained, 1 - 2 * q - delta))
        return -sum(n * math.log(max(p, 1e-300)) for n, p in chances if n)

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(against, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    variance = cases * (2 * q + delta * (1 - delta))
    return (gained - lost - cases * delta) / math.sqrt(max(variance, 1e-300))


@given(COUNTS)
def test_tangos_limits_are_where_the_score_is_that_of_the_level(counts: tuple[int, int, int]) -> None:
    lost, gained, _ = counts
    cases = sum(counts)
    low, high = tango(lost, gained, cases)
    assert -1 <= low <= (gained - lost) / cases <= high <= 1
    z = norm.ppf(0.975)
    for end, sign in ((low, 1), (high, -1)):
        if abs(end) < 0.98:
            assert sign * score(lost, gained, cases, end) == pytest.approx(z, rel=2e-3)


def test_without_discordant_images_it_is_the_closed_form() -> None:
    z2 = norm.ppf(0.975) ** 2
    assert tango(0, 0, 171) == pytest.approx((-z2 / (171 + z2), z2 / (171 + z2)), abs=1e-9)


def test_its_coverage_is_what_it_says() -> None:
    rng, inside = np.random.default_rng(0), 0
    for _ in range(1000):
        lost, gained, _ = rng.multinomial(120, [0.03, 0.05, 0.92])
        low, high = tango(int(lost), int(gained), 120)
        inside += low <= 0.02 <= high
    assert 0.93 <= inside / 1000 <= 0.985


@pytest.mark.parametrize(
    ("lost", "gained", "cases", "verdict"),
    [(0, 0, 171, UNKNOWN), (0, 0, 500, NOT_INFERIOR), (40, 0, 300, INFERIOR), (1, 3, 2000, NOT_INFERIOR)],
)
def test_verdicts(lost: int, gained: int, cases: int, verdict: str) -> None:
    found = non_inferiority(lost, gained, cases, 0.01)
    assert found.verdict == verdict and (found.needed is not None) == (verdict == UNKNOWN)


@given(COUNTS, st.sampled_from([0.005, 0.01, 0.05]))
def test_with_the_cases_it_asks_for_there_is_a_verdict(counts: tuple[int, int, int], margin: float) -> None:
    lost, gained, _ = counts
    found = non_inferiority(lost, gained, sum(counts), margin)
    if found.needed is None:
        return
    enough = math.ceil(found.needed * 1.05) + 1
    discordant = round((lost + gained) / sum(counts) * enough / 2)
    again = non_inferiority(discordant, discordant, enough, margin)
    assert again.verdict == NOT_INFERIOR
    assert found.needed >= 1


def test_the_wider_interval_decides() -> None:
    assert non_inferiority(0, 0, 500, 0.01, (-0.02, 0.0)).verdict == UNKNOWN
    assert non_inferiority(0, 0, 500, 0.01, (0.0, 0.0)).verdict == NOT_INFERIOR
    assert non_inferiority(0, 0, 0, 0.01).verdict == UNKNOWN
