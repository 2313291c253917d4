"""Parity within groups: counts add up, a group that loses is flagged, and no other."""

import numpy as np
import pytest

from melanoma_edge.verify.operating_point import choose
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.subgroups import UNKNOWN, subgroups


def pair(n: int = 600) -> tuple[Predictions, Predictions]:
    rng = np.random.default_rng(0)
    positive = rng.random(n) < 0.3
    margin = rng.normal(size=n) + 2 * positive - 1
    ids = tuple(f"im{i}" for i in range(n))

    def answers(m: np.ndarray) -> Predictions:
        logits = np.stack([0 * m, m], 1).astype(np.float32)
        return Predictions(ids, ("test",) * n, positive.astype(np.int64), logits, 1, ("other", "melanoma"))

    moved = margin + 0.05 * rng.normal(size=n)
    moved[: n // 4] -= 1.0 * positive[: n // 4]  # melanomas of the first quarter fade
    return answers(margin), answers(moved)


REFERENCE, ARTIFACT = pair()
POINT = choose("threshold=0.5", REFERENCE)
QUARTER = {f"im{i}": f"quarter {i // 150}" for i in range(600)}


def test_the_group_that_loses_is_flagged_alone() -> None:
    found = subgroups(REFERENCE, ARTIFACT, POINT, {"quarter": QUARTER})
    assert [g.value for g in found if g.loses] == ["quarter 0"]
    worst = next(g for g in found if g.loses)
    assert worst.sensitivity_change[2] < 0 and worst.p < 0.01
    rows = [i for i, name in enumerate(REFERENCE.ids) if QUARTER[name] == "quarter 0" and REFERENCE.is_melanoma[i]]
    before, after = ((one.p[rows] >= 0.5).mean() for one in (REFERENCE, ARTIFACT))
    assert (worst.sensitivity, worst.sensitivity_change[0]) == pytest.approx((before, after - before))
    alike = subgroups(REFERENCE, REFERENCE, POINT, {"quarter": QUARTER})
    assert {(g.p, g.flips, g.loses, *g.sensitivity_change[:1]) for g in alike} == {(1.0, 0, False, 0.0)}


def test_groups_add_up_to_the_whole() -> None:
    found = subgroups(REFERENCE, ARTIFACT, POINT, {"quarter": QUARTER})
    whole = compare(REFERENCE, ARTIFACT, POINT)
    assert sum(g.images for g in found) == whole.n and sum(g.flips for g in found) == whole.flips
    assert sum(g.melanomas for g in found) == int(REFERENCE.is_melanoma.sum())


def test_images_without_a_value_are_a_group_and_one_value_is_none() -> None:
    some = {"im0": "a", "im1": "a"}
    assert [g.value for g in subgroups(REFERENCE, ARTIFACT, POINT, {"x": some})] == [UNKNOWN, "a"]
    assert subgroups(REFERENCE, ARTIFACT, POINT, {"x": dict.fromkeys(QUARTER, "b")}) == []


def test_a_group_without_melanomas_has_no_sensitivity() -> None:
    told = {i: "melanoma" if m else "other" for i, m in zip(REFERENCE.ids, REFERENCE.is_melanoma, strict=True)}
    other, melanoma = subgroups(REFERENCE, ARTIFACT, POINT, {"diagnosis": told})
    assert np.isnan(other.sensitivity) and np.isnan(other.sensitivity_change).all()
    assert np.isnan(melanoma.specificity) and melanoma.sensitivity == pytest.approx(
        compare(REFERENCE, REFERENCE, POINT).sensitivity
    )
