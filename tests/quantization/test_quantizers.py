"""Every quantizer that is registered, on a network with what the backbones have."""

import importlib.util

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from scipy.special import softmax
from small_network import IMAGES, SPEC, mobile, run_ort

from melanoma_edge import registry
from melanoma_edge.errors import InputError
from melanoma_edge.progress import silent
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.prepare import array, set_array
from melanoma_edge.quantization.quantizers import AUTO, Attempt, Plan, Subject, distilled, mixed, nncf, order
from melanoma_edge.quantization.recipe import Recipe
from melanoma_edge.runtime.predict import Logits

NAMES = registry.names(quantizers.__name__)


def attempts(name: str) -> list[Attempt]:
    if name == "nncf":
        pytest.importorskip("nncf")
    subject = Subject(mobile(), IMAGES, SPEC)
    return list(quantizers.attempts(name, subject))


def saved(model: ir.Model) -> bytes:
    return bytes(ir.to_proto(model).SerializeToString(deterministic=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_quantizer_makes_graphs_that_run_and_say_how_they_were_made(name: str) -> None:
    found = attempts(name)
    assert len({attempt.recipe.name for attempt in found}) == len(found)
    for attempt in found:
        answers = run_ort(attempt.model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
        assert np.isfinite(answers).all()
        assert attempt.report.recipe == attempt.recipe
        assert set(attempt.recipe.float_nodes) <= set(attempt.report.float_nodes)


def test_auto_goes_from_cheap_to_dear_and_a_name_stands_for_itself() -> None:
    assert order(AUTO) == (["static", "mixed"], ["distilled"])
    assert all(order(name) == ((name,), ()) for name in (*NAMES, *mixed.RECIPES))


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(InputError, match=f"auto, {', '.join(sorted({*NAMES, *mixed.RECIPES}))}"):
        order("magic")


def test_a_recipe_is_made_by_its_name_as_among_the_others() -> None:
    subject = Subject(mobile(), IMAGES, SPEC)
    among = {attempt.recipe.name: saved(attempt.model) for attempt in quantizers.attempts("mixed", subject)}
    name = list(among)[-1]
    (alone,) = quantizers.attempts(name, Subject(mobile(), IMAGES, SPEC))
    assert saved(alone.model) == among[name]


@pytest.mark.parametrize(
    ("prices", "told"),
    [
        (("mixed_10", "mixed_20", "mixed_40"), "than mixed_20 does: --quantizer mixed_20"),
        (("mixed_40",), "worth its price in float: --quantizer static"),
    ],
)
def test_a_recipe_that_adds_nothing_says_so(
    prices: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixed, "plans", lambda *_: [Plan(Recipe(name)) for name in prices])
    with pytest.raises(InputError, match=told):
        quantizers.plans("mixed_30", Subject(mobile(), IMAGES, SPEC))


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


def test_nncf_leaves_the_evidence_of_minmax_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(model: ir.Model, _subject: Subject) -> ir.Model:
        """As NNCF would answer, with other biases and a range for one activation."""
        changed = model.clone()
        for node in changed.graph:
            if node.op_type == "Conv":
                set_array(node.inputs[2], array(node.inputs[2]) + 1)
        source = next(n for n in changed.graph if n.op_type == "Clip").outputs[0]
        operands = (
            ir.val(name, const_value=ir.tensor(data, name=name))
            for name, data in (("theirs_scale", np.float32(0.5)), ("theirs_zero", np.uint8(3)))
        )
        changed.graph.append(ir.node("QuantizeLinear", [source, *operands]))
        return changed

    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)
    monkeypatch.setattr(nncf, "_quantized", theirs)
    subject = Subject(mobile(), IMAGES, SPEC)
    (before,) = quantizers.attempts("minmax", subject)
    (other,) = quantizers.attempts("nncf", subject)
    (after,) = quantizers.attempts("minmax", subject)
    assert saved(after.model) == saved(before.model) != saved(other.model)
    assert other.report.tensors != before.report.tensors == after.report.tensors


@pytest.mark.parametrize(
    ("prices", "taken"),
    [
        (("mixed_10", "mixed_20", "mixed_30"), "mixed_20"),
        (("mixed_10", "mixed_30"), "mixed_10"),
        (("mixed_30", "mixed_40"), "mixed_30"),
        ((), "static"),
    ],
)
def test_distilled_starts_from_the_nearest_price(prices: tuple[str, ...], taken: str) -> None:
    assert distilled.middle([Plan(Recipe(name)) for name in prices]).recipe.name == taken
