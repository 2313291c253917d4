"""One answer for float and INT8: what is refused is told by `unsupported`, the emitter and the quantiser alike."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, dims, evaluate, image_for, op_types
from small_network import IMAGES, SPEC, run_ort
from tflite_file import operators, partitions, run

from melanoma_edge.errors import UnsupportedOperatorError
from melanoma_edge.export import passes
from melanoma_edge.export.emit import to_bytes
from melanoma_edge.operators.support import unsupported
from melanoma_edge.quantization.executor import load
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static


def _three_d(b: Builder) -> ir.Value:
    x = b.op("Reshape", b.image, b.const([1, 3, 64], np.int64))
    return b.op("Conv", x, b.random(2, 3, 3))


def _pads(*pads: int) -> Callable[[Builder], ir.Value]:
    return lambda b: b.const(pads, np.int64)


REFUSED: dict[str, tuple[Callable[[Builder], ir.Value], str]] = {
    "unknown": (lambda b: b.op("Erf", b.image), r"Erf \(node 'odd one'\) is not supported: known operators are Add, "),
    "other domain": (lambda b: b.op("Gelu", b.image, domain="com.microsoft"), "com.microsoft.Gelu .* known operators"),
    "1-D convolution": (_three_d, "Conv .* only 2-D convolutions"),
    "computed weights": (lambda b: b.op("Conv", b.image, b.op("Relu", b.random(2, 3, 1, 1))), "must be a constant"),
    "dilated pool": (
        lambda b: b.op("MaxPool", b.image, kernel_shape=[2, 2], dilations=[2, 2]),
        "dilated pooling .* dilations",
    ),
    "ceil mode": (
        lambda b: b.op("AveragePool", b.image, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        "ceil_mode=1",
    ),
    "reflecting pad": (
        lambda b: b.op("Pad", b.image, b.const([0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="reflect"),
        "'reflect'",
    ),
    "cropping": (lambda b: b.op("Pad", b.image, b.const([0, 0, -1, 0, 0, 0, 0, 0], np.int64)), "cropping"),
    "slopes of each pixel": (lambda b: b.op("PRelu", b.image, b.random(8, 8)), "one a channel"),
    "transposed input": (
        lambda b: b.op("Gemm", b.op("Flatten", b.image), b.random(1, 4), transA=1),
        "constant weights",
    ),
    "ranks": (lambda b: b.op("Add", b.image, b.op("Squeeze", b.conv(b.image, 1), b.const([1], np.int64))), "one rank"),
    "batch permuted": (lambda b: b.op("Transpose", b.image, perm=[1, 0, 2, 3]), "keep the batch first"),
    "batch reshaped": (lambda b: b.op("Reshape", b.image, b.const([3, -1], np.int64)), "keeps the batch"),
    "batch joined": (lambda b: b.op("Concat", b.image, b.image, axis=0), "any axis but the batch"),
    "softmax over the batch": (lambda b: b.op("Softmax", b.image, axis=0), "any axis but the batch"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_the_operator_and_the_node_everywhere(name: str) -> None:
    make, message = REFUSED[name]
    b = Builder((1, 3, 8, 8))
    model = b.done(make(b))
    list(model.graph)[-1].name = "odd one"
    assert len([why for why in unsupported(model) if "odd one" in why]) == 1
    for refuse in (lambda: to_bytes(model, name="test"), lambda: load(model)):
        with pytest.raises(UnsupportedOperatorError, match=message):
            refuse()


def test_all_that_is_refused_is_told_at_once() -> None:
    b = Builder((1, 3, 8, 8))
    model = b.done(b.op("Erf", b.op("Softmax", b.op("Ceil", b.image), axis=0)))
    assert [why.split()[0] for why in unsupported(model)] == ["Ceil", "Softmax", "Erf"]


def test_asking_loads_neither_torch_nor_litert() -> None:
    code = "import sys; from melanoma_edge import operators; operators.table(); print({'torch', 'ai_edge_litert'} & {*"
    code += "sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def classifier(b: Builder, x: ir.Value) -> ir.Model:
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    return model


def assert_both_formats_agree(model: ir.Model) -> bytes:
    """In float and in INT8. Returns the INT8 file."""
    assert not unsupported(model)
    image = image_for(model)
    np.testing.assert_allclose(run(to_bytes(model, name="m"), image), evaluate(model, image), rtol=1e-5, atol=1e-5)
    quantized, report = quantize(model, IMAGES, SPEC, static.RECIPE)
    means = {str(n.name) for n in model.graph if n.op_type == "AveragePool"}  # each runtime divides in its own way
    assert set(report.inexact_nodes) <= means
    data = to_bytes(quantized, name="m")
    pixels = [((one.transpose(2, 0, 1)[np.newaxis].astype(np.float32)) - 128) / 128 for one in IMAGES[:10]]
    found = np.concatenate([run(data, one) for one in pixels])
    wanted = run_ort(quantized, IMAGES[:10], ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.02 if means else 0)
    return data


def test_prelu_runs_in_float_among_integers_to_the_bit() -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op("PRelu", b.conv(b.image, 8, 3), b.const(b.rng.uniform(0.1, 0.4, (8, 1, 1))))
    data = assert_both_formats_agree(classifier(b, b.op("Relu", b.conv(x, 8))))
    assert "PRELU" in operators(data) and partitions(data) == (1, ())


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(("kernel", "padded"), [(2, False), (3, True)])
def test_ceil_mode_is_dropped_or_becomes_padding(op: str, kernel: int, padded: bool) -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    x = b.op(op, b.op("Relu", b.conv(b.image, 8, 3)), kernel_shape=[kernel] * 2, strides=[2, 2], ceil_mode=1)
    model = classifier(b, b.op("Relu", b.conv(x, 8)))
    (pool,) = (node for node in model.graph if node.op_type == op)
    assert "ceil_mode" not in pool.attributes and any(pool.attributes.get_ints("pads", ())) == padded
    assert partitions(assert_both_formats_agree(model))[1] == ()


@st.composite
def ceiled(draw: st.DrawFn) -> ir.Model:
    b = Builder((1, 2, draw(st.integers(3, 11)), draw(st.integers(3, 11))))
    kernel, strides = ([draw(st.integers(2, 3)) for _ in range(2)], [draw(st.integers(1, 3)) for _ in range(2)])
    pads = [draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)]
    op = draw(st.sampled_from(["MaxPool", "AveragePool"]))
    model = b.done(b.op(op, b.image, kernel_shape=kernel, strides=strides, pads=pads, ceil_mode=1))
    # onnx counts a window that lies in padding only, onnxruntime does not
    assume(evaluate(model, image_for(model)).shape == dims(model.graph.outputs[0]))
    return model


@settings(max_examples=25)
@given(ceiled())
def test_pools_without_ceil_mode_compute_the_same(model: ir.Model) -> None:
    image = image_for(model)
    before = evaluate(model, image)
    passes.apply(model, "clean")
    assert not unsupported(model) and op_types(model)[0] in ("MaxPool", "AveragePool", "GlobalAveragePool")
    np.testing.assert_allclose(evaluate(model, image), before, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(run(to_bytes(model, name="m"), image), before, rtol=1e-5, atol=1e-5)
