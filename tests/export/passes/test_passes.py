"""What every pass promises: the same float function, and nothing done where nothing applies."""

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from onnx_graphs import Builder, evaluate, image_for, networks, op_types

from melanoma_edge import graph, registry
from melanoma_edge.export import passes

ALL = registry.names(passes.__name__)


def assert_same_function(model: ir.Model, before: np.ndarray, image: np.ndarray) -> None:
    after = evaluate(model, image)
    assert after.shape == before.shape
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(before).max())))


def plain() -> ir.Model:
    """A network in which no pass finds anything to do."""
    b = Builder((1, 3, 8, 8))
    x = b.op("Relu", b.conv(b.image, 4, 3))
    x = b.op("Clip", b.conv(x, 4, 3, group=4), b.const(0), b.const(6))
    x = b.op("Add", b.conv(x, 4), x)
    return b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=10, deadline=None)
@given(model=networks())
def test_each_pass_alone_keeps_the_function(name: str, model: ir.Model) -> None:
    image = image_for(model)
    before = evaluate(model, image)
    registry.load(passes.__name__, name).run(model)
    graph.tidy(model)
    assert_same_function(model, before, image)


@settings(max_examples=40, deadline=None)
@given(model=networks())
def test_both_phases_keep_the_function_and_leave_nothing_to_do(model: ir.Model) -> None:
    image = image_for(model)
    before = evaluate(model, image)
    for phase in passes.PHASES:
        passes.apply(model, phase)
        assert_same_function(model, before, image)
        assert not any(passes.apply(model, phase).values())
    assert not {"HardSwish", "HardSigmoid", "BatchNormalization", "Identity", "Dropout"} & set(op_types(model))
    assert [v.name for v in model.graph.outputs] == ["logits"]


@pytest.mark.parametrize("name", ALL)
def test_no_op_where_it_does_not_apply(name: str) -> None:
    model = plain()
    before = ir.to_proto(model).SerializeToString()
    assert registry.load(passes.__name__, name).run(model) == 0
    assert ir.to_proto(model).SerializeToString() == before


@pytest.mark.parametrize("name", ALL)
def test_every_pass_states_its_reason_and_its_place(name: str) -> None:
    module = registry.load(passes.__name__, name)
    assert module.__doc__
    assert module.PHASE in passes.PHASES
    order = passes.ordered(module.PHASE)
    assert all(order.index(earlier) < order.index(name) for earlier in getattr(module, "AFTER", ()))


def test_unknown_phase_names_the_known() -> None:
    with pytest.raises(ValueError, match="clean, integer"):
        passes.apply(plain(), "last")


def test_a_pad_merged_into_a_convolution_that_says_valid_is_read() -> None:
    b = Builder((1, 3, 6, 6))
    padded = b.op("Pad", b.image, b.const([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    x = b.op("Conv", padded, b.random(4, 3, 3, 3), kernel_shape=[3, 3], auto_pad="VALID")
    model = b.done(b.linear(b.op("Flatten", x), 2))
    image = image_for(model)
    before = evaluate(model, image)
    assert registry.load(passes.__name__, "merge_pad").run(model) == 1
    graph.tidy(model)
    assert_same_function(model, before, image)
