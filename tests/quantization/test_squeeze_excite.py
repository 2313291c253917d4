"""Gates with a factor for each channel: the same function, and products whose channels share their range."""

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from small_network import IMAGES, SPEC, excited, run_ort

from melanoma_edge.quantization import equalize, evidence
from melanoma_edge.quantization.channels import channel_classes, is_scaling
from melanoma_edge.quantization.executor import Batches, load, run
from melanoma_edge.quantization.prepare import array, prepare
from melanoma_edge.quantization.quantize import decide, evidence_for
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.squeeze_excite import close_gates, open_gates


def scalings(model: ir.Model) -> list[ir.Node]:
    return [node for node in model.graph if is_scaling(node)]


def answers(model: ir.Model) -> torch.Tensor:
    program = load(model)
    return torch.cat([run(program, batch)[program.output] for batch in Batches(IMAGES, SPEC)])


def test_only_gates_behind_what_no_factor_passes_are_opened() -> None:
    for swish in (True, False):
        model = prepare(excited(swish=swish))
        before = len(channel_classes(model.graph))
        assert open_gates(model) == int(swish) == len(scalings(model))
        assert len(channel_classes(model.graph)) == before + int(swish)


def test_opening_and_closing_leaves_the_graph_as_it_was() -> None:
    model = prepare(excited())
    before, constants = [str(n.name) for n in model.graph], set(model.graph.initializers)
    open_gates(model)
    close_gates(model)
    assert [str(n.name) for n in model.graph] == before and set(model.graph.initializers) == constants


def test_the_function_stays_and_factors_are_integers_of_their_constant() -> None:
    seen = evidence_for(excited(spread=100.0), IMAGES, SPEC, static.RECIPE)
    (node,) = scalings(seen.model)
    factors = array(node.inputs[1]).ravel() * 255
    assert factors.max() == 255 and np.ptp(factors) > 100
    np.testing.assert_allclose(factors, factors.round(), atol=1e-4)
    torch.testing.assert_close(answers(seen.model), answers(excited(spread=100.0)), rtol=1e-4, atol=1e-5)


def test_even_channels_get_no_operator() -> None:
    assert not scalings(evidence_for(excited(spread=1.0), IMAGES, SPEC, static.RECIPE).model)


def test_the_integers_come_closer_to_float(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = answers(excited(spread=100.0)).numpy()

    def error() -> float:
        model, _ = decide(evidence_for(excited(spread=100.0), IMAGES, SPEC, static.RECIPE), static.RECIPE)
        return float(np.square(run_ort(model, IMAGES, ort.GraphOptimizationLevel.ORT_ENABLE_ALL) - exact).mean())

    with_gates = error()
    monkeypatch.setattr(evidence, "open_gates", lambda model: 0)
    assert with_gates < 0.7 * error()
    assert equalize.WORTHWHILE < 1
