"""The choice of float operators: what removes the most for its cost, whole units only, never above the budget."""

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_graphs import Builder

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.quantization import mixed
from melanoma_edge.quantization.evidence import gather
from melanoma_edge.quantization.mixed import choices
from melanoma_edge.quantization.quantize import scheme_of
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.sensitivity import Sensitivity

SIZE = 16
IMAGES = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)


def chain() -> tuple[ir.Model, Scheme, list[str], list[str]]:
    """Five convolutions, each with a Relu, and a head; returns names of convolutions and of what the Relus make."""
    b = Builder((1, 3, SIZE, SIZE))
    x = b.image
    for _ in range(5):
        x = b.op("Relu", b.conv(x, 32, 3))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    prepared, scheme = scheme_of(gather(model, IMAGES, Preprocessing(SIZE)), static.RECIPE)
    nodes = list(prepared.graph)
    made = [str(n.outputs[0].name) for n in nodes if n.op_type == "Relu"]
    return prepared, scheme, [str(n.name) for n in nodes if n.op_type == "Conv"], made


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of equal layers has no light ones: only the test of that limit meets it."""
    monkeypatch.setattr(mixed, "HEAVIEST", 1.0)


MODEL, SCHEME, CONVS, MADE = chain()
RELU = {c: str(r.name) for c, r in zip(CONVS, (n for n in MODEL.graph if n.op_type == "Relu"), strict=True)}


def effects(weights: dict[str, float], values: dict[str, float]) -> Sensitivity:
    quiet = 1e-6
    return Sensitivity(
        {c: np.full(4, weights.get(c, quiet)) for c in CONVS},
        {v: np.full(4, values.get(v, quiet)) for v in MADE},
    )


def test_the_worst_weight_goes_to_float_with_the_relu_that_its_operator_absorbed() -> None:
    (found,) = choices(MODEL, SCHEME, effects({CONVS[3]: 1.0}, {}), [0.5])
    assert found.float_nodes == (CONVS[3], RELU[CONVS[3]])
    assert found.remaining < 1e-6 and 0 < found.cost <= 0.5


def test_a_value_takes_its_maker_and_its_reader_along() -> None:
    (found,) = choices(MODEL, SCHEME, effects({}, {MADE[1]: 1.0}), [0.6])
    assert set(found.float_nodes) == {CONVS[1], RELU[CONVS[1]], CONVS[2], RELU[CONVS[2]]}


def test_heavy_weights_stay_in_integers_whatever_they_would_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    worst = effects({CONVS[3]: 1.0}, {})
    monkeypatch.setattr(mixed, "HEAVIEST", 0.2)  # one of the four equal convolutions has a quarter
    assert choices(MODEL, SCHEME, worst, [1.0]) == []
    monkeypatch.setattr(mixed, "HEAVIEST", 0.26)
    assert choices(MODEL, SCHEME, worst, [1.0])[0].float_nodes == (CONVS[3], RELU[CONVS[3]])


def test_nothing_is_chosen_when_the_budget_is_too_small() -> None:
    assert choices(MODEL, SCHEME, effects({CONVS[0]: 1.0}, {}), [1e-6]) == []


def test_what_is_not_worth_it_stays_in_integers() -> None:
    (found,) = choices(MODEL, SCHEME, effects({CONVS[2]: 1.0}, {}), [1.0])
    assert found.float_nodes == (CONVS[2], RELU[CONVS[2]])


@given(st.lists(st.floats(0, 1), min_size=10, max_size=10), st.lists(st.floats(0.05, 1), min_size=1, max_size=3))
def test_budgets_are_kept_and_more_of_them_leaves_less(sizes: list[float], budgets: list[float]) -> None:
    weights, values = dict(zip(CONVS, sizes[:5], strict=True)), dict(zip(MADE, sizes[5:], strict=True))
    found = choices(MODEL, SCHEME, effects(weights, values), sorted(budgets))
    assert all(choice.cost <= max(budgets) for choice in found)
    assert all(0 <= choice.remaining <= 1 + 1e-9 for choice in found)
    left = [choice.remaining for choice in found]
    assert left == sorted(left, reverse=True)
    for choice in found:
        assert all((c in choice.float_nodes) == (RELU[c] in choice.float_nodes) for c in CONVS)
