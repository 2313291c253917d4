"""A padding with zeros in front of a maximum counts in ONNX Runtime too, however large it is."""

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder, evaluate, image_for, session

from melanoma_edge.export import passes


def padded(pads: int, *, fill: float | None = 0.0, below: float = 5.0) -> ir.Model:
    """Features of which all are negative where `below` is large, padded, and the maxima of 2 x 2."""
    b = Builder((1, 3, 6, 6))
    x = b.op("Sub", b.conv(b.image, 4, 3), b.const(below))
    given = [] if fill is None else [b.const(fill)]
    x = b.op("Pad", x, b.const([0, 0, 0, 0, 0, 0, pads, pads], np.int64), *given)
    x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[1, 1])
    return b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))


@pytest.mark.parametrize("fill", [None, 0.0])
@pytest.mark.parametrize("pads", [1, 2])
def test_onnx_runtime_answers_as_the_graph_says(pads: int, fill: float | None) -> None:
    model = padded(pads, fill=fill)
    image = image_for(model)
    before = evaluate(model, image)
    assert passes.apply(model, "onnxruntime")["padded_pool"] == 1
    np.testing.assert_array_equal(evaluate(model, image), before)
    np.testing.assert_allclose(session(model).run(None, {"image": image})[0], before, rtol=1e-5)
    assert passes.apply(model, "onnxruntime")["padded_pool"] == 0


def test_without_it_the_answers_differ_or_no_session_opens() -> None:
    """Were it not to matter in this ONNX Runtime, the test above would not tell."""
    model = padded(1)
    image = image_for(model)
    assert np.abs(session(model).run(None, {"image": image})[0] - evaluate(model, image)).max() > 0.1
    with pytest.raises(Exception, match="Pad should be smaller than kernel"):
        session(padded(2))


def test_another_number_stays() -> None:
    assert passes.apply(padded(1, fill=-1.0), "onnxruntime")["padded_pool"] == 0
