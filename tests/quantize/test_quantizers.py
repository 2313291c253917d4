"""Every quantizer that is registered, on a network with what the backbones have."""

import importlib.util

import numpy as np
import onnxruntime as ort
import pytest
from scipy.special import softmax
from small_network import IMAGES, SPEC, mobile, run_ort

from melanoma_edge import registry
from melanoma_edge.errors import InputError
from melanoma_edge.progress import silent
from melanoma_edge.quantize import quantizers
from melanoma_edge.quantize.quantizers import AUTO, Attempt, Subject, nncf, order
from melanoma_edge.runtime.predict import Logits

NAMES = registry.names(quantizers.__name__)


def attempts(name: str) -> list[Attempt]:
    if name == "nncf":
        pytest.importorskip("nncf")
    subject = Subject(mobile(), IMAGES, SPEC)
    return list(quantizers.attempts(name, subject))


@pytest.mark.parametrize("name", NAMES)
def test_a_quantizer_makes_graphs_that_run_and_say_how_they_were_made(name: str) -> None:
    found = attempts(name)
    assert len({attempt.recipe.name for attempt in found}) == len(found)
    for attempt in found:
        answers = run_ort(attempt.model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
        assert np.isfinite(answers).all()
        assert attempt.report.recipe["name"] == attempt.recipe.name
        assert set(attempt.recipe.float_nodes) <= set(attempt.report.float_nodes)


def test_auto_goes_from_cheap_to_dear_and_a_name_stands_for_itself() -> None:
    assert order(AUTO) == (["static", "mixed"], ["distilled"])
    assert all(order(name) == ((name,), ()) for name in NAMES)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(InputError, match=f"auto, {', '.join(NAMES)}"):
        order("magic")


def test_corrections_leave_less_error_than_none() -> None:
    def error(answers: Logits) -> float:
        return float(np.square(softmax(answers, axis=1) - softmax(exact, axis=1)).mean())

    exact = run_ort(mobile(), IMAGES, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    plain, corrected = (error(run_ort(attempts(n)[0].model, IMAGES, level)) for n in ("minmax", "static"))
    assert corrected < plain


def test_nncf_gives_its_ranges_and_biases_to_our_placement() -> None:
    pytest.importorskip("nncf")
    (theirs,), (ours,) = attempts("nncf"), attempts("minmax")
    assert theirs.report.integer_nodes == ours.report.integer_nodes
    assert theirs.report.tensors != ours.report.tensors


def test_without_nncf_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match="pip install"):
        list(nncf.plans(Subject(mobile(), IMAGES, SPEC), silent))
