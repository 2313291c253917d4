import numpy as np
from hypothesis import given, settings
from onnx_graphs import Builder, evaluate, image_for, networks

from melanoma_edge.quantization.prepare import prepare


@settings(max_examples=25)
@given(model=networks())
def test_the_function_stays(model) -> None:  # type: ignore[no-untyped-def]
    image = image_for(model)
    before = evaluate(model, image)
    prepared = prepare(model)
    np.testing.assert_allclose(evaluate(prepared, image), before, rtol=1e-4, atol=1e-5 * max(1, np.abs(before).max()))
    np.testing.assert_array_equal(evaluate(model, image), before)
    names = [node.name for node in prepared.graph]
    assert all(names) and len(set(names)) == len(names)


def test_layers_that_share_weights_get_their_own_and_every_layer_a_bias() -> None:
    b = Builder((1, 4, 5, 5))
    weight, bias = b.random(4, 4, 1, 1), b.random(4)
    x = b.op("Conv", b.op("Conv", b.image, weight, bias), weight, bias)
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Conv", x, b.random(3, 4, 1, 1))))
    gemm = b.op("Gemm", x, b.random(3, 6), b.const(0.25), alpha=2.0, beta=3.0)
    model = b.done(b.op("Gemm", gemm, b.random(2, 6), transB=1))
    image = image_for(model)
    prepared = prepare(model)
    np.testing.assert_allclose(evaluate(prepared, image), evaluate(model, image), rtol=1e-5, atol=1e-6)
    layers = [node for node in prepared.graph if node.op_type in ("Conv", "Gemm")]
    parameters = [v.name for node in layers for v in node.inputs[1:] if v is not None]
    assert len(parameters) == len(set(parameters)) == 2 * len(layers)
    assert all(node.attributes.get_int("transB", 0) == 1 for node in layers if node.op_type == "Gemm")
