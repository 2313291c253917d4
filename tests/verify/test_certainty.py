"""What is said of how sure a comparison is."""

import msgspec
import numpy as np
import pytest

from melanoma_edge.artifact import json_text
from melanoma_edge.document import finite
from melanoma_edge.verify.bootstrap import FIGURES
from melanoma_edge.verify.certainty import Certainty, Compared, certainty
from melanoma_edge.verify.operating_point import choose
from melanoma_edge.verify.predictions import Predictions


def predictions(logits: np.ndarray, positive: np.ndarray) -> Predictions:
    ids = tuple(f"im{i}" for i in range(len(logits)))
    return Predictions(ids, ("test",) * len(ids), positive.astype(np.int64), logits, 1, ("other", "melanoma"))


def pair(noise: float, n: int = 400, seed: int = 0) -> tuple[Predictions, Predictions]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    margin = rng.normal(size=n) + 2 * positive - 1
    moved = margin + noise * rng.normal(size=n)
    return tuple(predictions(np.stack([0 * m, m], 1).astype(np.float32), positive) for m in (margin, moved))


def test_it_is_json_and_has_every_figure_in_its_interval() -> None:
    reference, artifact = pair(0.2)
    found = finite(certainty(reference, artifact, choose("threshold=0.5", reference), {}))
    assert msgspec.json.decode(json_text(found), type=Certainty) == found and set(found["figures"]) == set(FIGURES)
    for figure in (*found["figures"].values(), found["auc_delong"]):
        for value, low, high in (figure[k] for k in ("reference", "artifact", "difference")):
            assert low <= value <= high
    assert found["groups"] == 400


def test_lesions_are_counted_and_widen_the_intervals() -> None:
    reference, artifact = pair(0.2)
    point = choose("threshold=0.5", reference)
    lesions = {f"im{i}": f"lesion{i // 8}" for i in range(392)}
    alone, together = (certainty(reference, artifact, point, groups) for groups in ({}, lesions))
    assert together["groups"] == 49 + 8
    assert alone["mcnemar"] == together["mcnemar"]


def test_few_melanomas_cannot_tell_and_an_artifact_that_misses_them_is_inferior() -> None:
    reference, same = pair(0.0, n=100)
    point = choose("threshold=0.5", reference)
    unknown = certainty(reference, same, point, {})["sensitivity"]
    assert unknown["verdict"] == "cannot tell" and unknown["needed"] > unknown["cases"]
    blind = predictions(np.zeros_like(reference.logits) - [0, 5], reference.labels)
    assert certainty(reference, blind, point, {})["sensitivity"]["verdict"] == "inferior"


def test_an_answer_that_is_no_number_leaves_nothing_proved() -> None:
    reference, artifact = pair(0.1, n=50)
    artifact.logits[3] = np.nan
    found = certainty(reference, artifact, choose("threshold=0.5", reference), {})
    assert np.isnan(found["figures"]["auc"]["difference"]).all()


@pytest.mark.parametrize("labels", [0, 1])
def test_one_class_alone_is_no_error(labels: int) -> None:
    reference, artifact = pair(0.1, n=30)
    point = choose("threshold=0.5", reference)
    one = [predictions(p.logits, np.full(30, labels)) for p in (reference, artifact)]
    found = finite(certainty(*one, point, {}))
    without, of = ("sensitivity", "specificity") if labels == 0 else ("specificity", "sensitivity")
    nothing = (None, None, None)
    assert found["figures"][without] == Compared(nothing, nothing, nothing)
    low, high = found["figures"][of]["reference"][1:]
    assert 0 <= low <= found["figures"][of]["reference"][0] <= high <= 1
    assert found["auc_delong"]["p"] is None and found["sensitivity"]["cases"] == 30 * labels
