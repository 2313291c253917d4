"""Weights in 8 bits behind a DequantizeLinear, everything else as it was."""

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from small_network import IMAGES, SPEC, mobile, run_ort

from melanoma_edge.quantization.evidence import gather
from melanoma_edge.quantization.quantize import scheme_of
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.weight_only import weight_only

LEVEL = ort.GraphOptimizationLevel.ORT_ENABLE_ALL


def test_only_the_weights_change_and_little() -> None:
    model, scheme = scheme_of(gather(mobile(), IMAGES, SPEC, gradients=False, equalization=False), static.WEIGHTS)
    light = weight_only(model, scheme, smallest=0)
    exact, found = (run_ort(m, IMAGES, LEVEL) for m in (mobile(), light))
    assert 0 < np.abs(found - exact).mean() < 0.05 * np.ptp(exact)
    stored = [v for v in light.graph.initializers.values() if v.name and v.name.endswith("_quantized")]
    assert len(stored) == len(scheme.weights) and all(v.dtype == ir.DataType.INT8 for v in stored)
    assert sum(n.op_type == "DequantizeLinear" for n in light.graph) == len(scheme.weights)
    assert not any(n.op_type == "QuantizeLinear" for n in light.graph)
    for node in light.graph:
        if node.name in scheme.weights:
            assert node.inputs[1] is not None and node.inputs[1].producer() is not None


def test_small_layers_stay_in_float() -> None:
    model, scheme = scheme_of(gather(mobile(), IMAGES, SPEC, gradients=False, equalization=False), static.WEIGHTS)
    sizes = sorted(weights.values.size for weights in scheme.weights.values())
    light = weight_only(model, scheme, smallest=sizes[3])
    assert sum(n.op_type == "DequantizeLinear" for n in light.graph) == sum(size >= sizes[3] for size in sizes)


def test_the_model_that_it_is_made_from_stays() -> None:
    model, scheme = scheme_of(gather(mobile(), IMAGES, SPEC, gradients=False, equalization=False), static.WEIGHTS)
    before = ir.to_proto(model).SerializeToString(deterministic=True)
    weight_only(model, scheme)
    assert ir.to_proto(model).SerializeToString(deterministic=True) == before
