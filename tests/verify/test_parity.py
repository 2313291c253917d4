import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoma_edge.errors import EdgeError
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions

AT_HALF = OperatingPoint("threshold=0.5", 0.5, "given", math.nan, math.nan)


def predictions(p: list[float], melanoma: list[int]) -> Predictions:
    logits = np.stack([np.log1p(-np.array(p)), np.log(np.array(p))], axis=1).astype(np.float32)
    ids = tuple(f"im{i}" for i in range(len(p)))
    return Predictions(ids, ("test",) * len(p), np.array(melanoma, np.int64), logits, 1, ("other", "melanoma"))


LABELS = [0, 1, 0, 1, 0]
REFERENCE = predictions([0.1, 0.9, 0.6, 0.8, 0.3], LABELS)


def test_by_hand():
    got = compare(REFERENCE, predictions([0.1, 0.3, 0.4, 0.9, 0.7], LABELS), AT_HALF)
    assert (got.n, got.flips, got.flip_rate) == (5, 3, 0.6)
    assert (got.sensitivity, got.sensitivity_delta) == (0.5, -0.5)
    assert (got.specificity, got.specificity_delta) == pytest.approx((2 / 3, 0))
    assert got.max_abs_dp == pytest.approx(0.6, abs=1e-6)
    assert got.mean_abs_dp == pytest.approx((0 + 0.6 + 0.2 + 0.1 + 0.4) / 5, abs=1e-6)
    assert (got.auc, got.auc_delta) == pytest.approx((4 / 6, 4 / 6 - 1))
    assert got.top1_agreement == pytest.approx(0.4)
    assert (got.confusion.tp, got.confusion.fp, got.confusion.tn, got.confusion.fn) == (1, 1, 2, 1)


def test_ledger_begins_with_melanomas_that_are_now_missed():
    got = compare(REFERENCE, predictions([0.1, 0.3, 0.4, 0.9, 0.7], LABELS), AT_HALF)
    rows = [(f.image_id, f.label, f.direction) for f in got.ledger]
    assert rows == [
        ("im1", "melanoma", "melanoma->other"),
        ("im2", "other", "melanoma->other"),
        ("im4", "other", "other->melanoma"),
    ]
    assert (got.ledger[0].p_reference, got.ledger[0].p_artifact) == pytest.approx((0.9, 0.3), abs=1e-6)


def test_of_one_direction_and_label_the_largest_change_comes_first():
    before = predictions([0.9, 0.6, 0.8, 0.6], [0, 0, 0, 0])
    got = compare(before, predictions([0.4, 0.1, 0.45, 0.2], [0, 0, 0, 0]), AT_HALF)
    assert [f.image_id for f in got.ledger] == ["im0", "im1", "im3", "im2"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 1)), min_size=1, max_size=30))
def test_the_reference_is_at_parity_with_itself(rows):
    own = predictions([p for p, _ in rows], [label for _, label in rows])
    got = compare(own, own, AT_HALF)
    assert (got.flips, got.flip_rate, got.max_abs_dp, got.mean_abs_dp, got.top1_agreement) == (0, 0, 0, 0, 1)
    assert got.ledger == ()
    assert math.isnan(got.auc_delta) or got.auc_delta == 0


def test_one_nan_makes_rates_undefined_and_stands_in_the_ledger():
    broken = replace(REFERENCE, logits=REFERENCE.logits.copy())
    broken.logits[2, 0] = np.nan
    got = compare(REFERENCE, broken, AT_HALF)
    undefined = (
        got.flip_rate,
        got.max_abs_dp,
        got.mean_abs_dp,
        got.auc_delta,
        got.sensitivity_delta,
        got.ece,
        got.brier,
    )
    assert all(math.isnan(v) for v in undefined)
    assert [(f.image_id, f.direction) for f in got.ledger] == [("im2", "undefined")]


def test_seven_classes_decide_melanoma_against_the_rest():
    # Melanoma is never the highest logit, yet its probability crosses the threshold of 0.3.
    logits = np.array([[2.0, 1.0, 0.0], [2.0, 1.9, 0.0]], np.float32)
    moved = np.array([[1.9, 1.95, 0.0], [2.0, 0.5, 0.0]], np.float32)
    classes = ("nv", "mel", "bkl")
    reference = Predictions(("a", "b"), ("test",) * 2, np.array([0, 1]), logits, 1, classes)
    got = compare(reference, replace(reference, logits=moved), replace(AT_HALF, threshold=0.3))
    assert [(f.image_id, f.label, f.direction) for f in got.ledger] == [
        ("b", "mel", "melanoma->other"),
        ("a", "nv", "other->melanoma"),
    ]
    assert got.top1_agreement == 0.5


def test_other_images_are_refused_with_the_first_difference():
    renamed = replace(REFERENCE, ids=("im0", "im1", "other", "im3", "im4"))
    with pytest.raises(EdgeError, match="image 2 is 'im2' labelled other in the reference, but 'other'"):
        compare(REFERENCE, renamed, AT_HALF)
    with pytest.raises(EdgeError, match=r"image 3 .* labelled melanoma .* labelled other"):
        compare(REFERENCE, replace(REFERENCE, labels=np.array([0, 1, 0, 0, 0])), AT_HALF)
    with pytest.raises(EdgeError, match="5 reference images, 4 by the artifact: 'im4' is only in the reference"):
        compare(REFERENCE, predictions([0.1, 0.9, 0.6, 0.8], LABELS[:4]), AT_HALF)
    with pytest.raises(EdgeError, match="same classes in the same order"):
        compare(REFERENCE, replace(REFERENCE, classes=("melanoma", "other"), melanoma=0), AT_HALF)
