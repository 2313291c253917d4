"""Roundings behind a Relu or Clip become batch normalisations, and no bit of an answer changes."""

from dataclasses import replace

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from small_network import IMAGES, SPEC, mobile, run_ort

from melanoma_edge import graph
from melanoma_edge.export import passes
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static


def mixed(count: int) -> ir.Model:
    """A quantised network whose first `count` operators stay in float."""
    model = mobile()
    names = tuple(str(node.name) for node in list(model.graph)[:count])
    return quantize(model, IMAGES, SPEC, replace(static.RECIPE, float_nodes=names))[0]


def kinds(model: ir.Model) -> list[str]:
    return [node.op_type for node in model.graph]


def test_the_answers_keep_their_bits() -> None:
    model = mixed(6)
    for level in (ort.GraphOptimizationLevel.ORT_ENABLE_ALL, ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
        after = model.clone()
        count = passes.apply(after, "onnxruntime")["blocked_rounding"]
        assert count and kinds(after).count("BatchNormalization") == 2 * count
        assert kinds(after).count("Sub") == kinds(model).count("Sub") - count
        np.testing.assert_array_equal(run_ort(after, IMAGES, level), run_ort(model, IMAGES, level))


def test_a_rounding_behind_a_convolution_stays() -> None:
    after = mixed(6)
    passes.apply(after, "onnxruntime")
    for node in after.graph:
        maker = node.inputs[0].producer() if node.op_type == "BatchNormalization" and node.inputs[0] else None
        assert maker is None or maker.op_type in ("Relu", "Clip", "Mul", "BatchNormalization")
    left = [node for node in after.graph if graph.is_op(node, "Sub")]
    assert any(graph.producer(node.inputs[0], "Add") for node in left)


def test_integers_alone_have_none() -> None:
    assert not any(passes.apply(mixed(0), "onnxruntime").values())
