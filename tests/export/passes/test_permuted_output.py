"""A permutation behind a layer becomes the order of its channels; whatever is not one stays."""

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder, evaluate, image_for, op_types

from melanoma_edge import graph
from melanoma_edge.export import passes
from melanoma_edge.export.passes import permuted_output


def behind_a_layer(matrix: object, bias: object = None) -> ir.Model:
    b = Builder((1, 4))
    x = b.linear(b.image, 3)
    return b.done(b.op("Gemm", x, b.const(matrix), *([] if bias is None else [b.const(bias)]), transB=1))


def test_rows_and_biases_are_permuted() -> None:
    model = behind_a_layer(np.eye(3)[[2, 0, 1]])
    before = evaluate(model, image_for(model))
    assert permuted_output.run(model) == 1
    graph.tidy(model)
    assert op_types(model) == ["Gemm"]
    np.testing.assert_array_equal(evaluate(model, image_for(model)), before)
    assert permuted_output.run(model) == 0


@pytest.mark.parametrize(
    ("matrix", "bias"),
    [(2 * np.eye(3), None), (np.eye(3), [0, 0, 1]), ([[1, 0, 0]] * 3, None), (np.eye(3)[:2], None)],
)
def test_other_layers_stay(matrix: object, bias: object) -> None:
    model = behind_a_layer(matrix, bias)
    passes.apply(model, "clean")
    assert permuted_output.run(model) == 0
