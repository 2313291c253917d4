"""Each operator that is emitted in float computes what onnxruntime does, over random shapes and attributes."""

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, dims, evaluate, image_for
from tflite_file import operators, partitions, run

from melanoma_edge.errors import UnsupportedOperatorError
from melanoma_edge.export.emit import to_bytes

few = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 2**31)
channels = st.integers(1, 6)
sides = st.integers(1, 11)
small = st.integers(1, 3)


def builder(seed: int, *shape: int) -> Builder:
    return Builder(shape, np.random.default_rng(seed))


def assert_same(model: ir.Model, *, delegated: bool = True, seed: int = 0) -> bytes:
    """Both of TFLite's sets of kernels agree with onnxruntime; XNNPACK takes every operator. Returns the file."""
    image = image_for(model, seed)
    expected = evaluate(model, image)
    data = to_bytes(model, name="test")
    for delegate in (True, False):
        found = run(data, image, delegate=delegate)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(expected).max())))
    if delegated:
        assert partitions(data) == (1, ())
    return data


@st.composite
def convolutions(draw: st.DrawFn, groups: str) -> ir.Model:
    group = draw(st.integers(2, 4)) if groups != "one" else 1
    per_group = 1 if groups == "depthwise" else draw(small)
    b = builder(draw(seeds), 1, group * per_group, draw(st.integers(3, 11)), draw(st.integers(3, 11)))
    kernel, dilations = [draw(small), draw(small)], [draw(small), draw(small)]
    strides, pads = [draw(small), draw(small)], [draw(st.integers(0, 3)) for _ in range(4)]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    assume(all(side + pads[i] + pads[i + 2] >= spans[i] for i, side in enumerate(dims(b.image)[2:])))
    weights = b.random(group * draw(small), per_group, *kernel)
    bias = [b.random(dims(weights)[0])] if draw(st.booleans()) else []
    x = b.op("Conv", b.image, weights, *bias, group=group, strides=strides, dilations=dilations, pads=pads)
    return b.done(b.op("Relu", x) if draw(st.booleans()) else x)


@few
@given(convolutions("one"))
def test_convolution(model: ir.Model) -> None:
    assert "TRANSPOSE" not in operators(assert_same(model))


@few
@given(convolutions("depthwise"))
def test_depthwise_convolution(model: ir.Model) -> None:
    assert "DEPTHWISE_CONV_2D" in operators(assert_same(model))


@few
@given(convolutions("grouped"))
def test_grouped_convolution(model: ir.Model) -> None:
    assert_same(model)


@few
@given(seeds, channels, sides, sides, small, small, st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]))
def test_convolution_with_auto_pad(
    seed: int, depth: int, height: int, width: int, kernel: int, stride: int, mode: str
) -> None:
    assume(min(height, width) >= kernel)
    b = builder(seed, 1, depth, height, width)
    x = b.op("Conv", b.image, b.random(2, depth, kernel, kernel), auto_pad=mode, strides=[stride, stride])
    data = assert_same(b.done(x))
    assert "PAD" not in operators(data) or mode == "SAME_LOWER"


@pytest.mark.parametrize(("side", "pad_operators"), [(8, 1), (9, 0)])
def test_a_pad_is_written_only_where_same_differs(side: int, pad_operators: int) -> None:
    b = builder(0, 1, 3, side, side)
    data = assert_same(b.done(b.conv(b.image, 4, 3, strides=[2, 2])))
    assert operators(data).count("PAD") == pad_operators


@few
@given(seeds, small, st.integers(1, 9), st.integers(1, 9), st.booleans(), st.booleans())
def test_gemm(seed: int, rows: int, inputs: int, outputs: int, transposed: bool, bias: bool) -> None:
    b = builder(seed, rows, inputs)
    weights = b.random(outputs, inputs) if transposed else b.random(inputs, outputs)
    biases = [b.random(outputs)] if bias else []
    assert_same(b.done(b.op("Gemm", b.image, weights, *biases, transB=int(transposed), alpha=0.5, beta=2.0)))


@few
@given(seeds, small, st.integers(1, 9), st.integers(1, 9))
def test_matmul(seed: int, rows: int, inputs: int, outputs: int) -> None:
    b = builder(seed, rows, inputs)
    assert_same(b.done(b.op("MatMul", b.image, b.random(inputs, outputs))))


@few
@given(seeds, st.sampled_from(["Add", "Sub", "Mul", "Div"]), channels, sides, sides, st.booleans(), st.data())
def test_arithmetic_with_a_constant(
    seed: int, op: str, depth: int, height: int, width: int, swap: bool, data: st.DataObject
) -> None:
    b = builder(seed, 1, depth, height, width)
    shapes = [(), (1,), (depth, 1, 1), (1, depth, 1, 1), (width,), (height, 1), (1, depth, height, width)]
    constant = b.const(b.rng.uniform(0.5, 2, data.draw(st.sampled_from(shapes))))
    # a division by the random image has no bounded error
    operands = [constant, b.image] if swap and op != "Div" else [b.image, constant]
    x = b.op(op, *operands)
    assert_same(b.done(b.op("Clip", x, b.const(0), b.const(6)) if swap else x))


@few
@given(seeds, st.sampled_from(["Add", "Sub", "Mul"]), st.integers(2, 6), sides, sides, st.booleans())
def test_arithmetic_of_two_images(seed: int, op: str, depth: int, height: int, width: int, gate: bool) -> None:
    b = builder(seed, 1, depth, height, width)
    other = b.op("GlobalAveragePool", b.image) if gate else b.conv(b.image, depth)
    assert_same(b.done(b.op(op, other, b.image)))


ACTIVATIONS: dict[str, Callable[[Builder, ir.Value], ir.Value]] = {
    "Relu": lambda b, x: b.op("Relu", x),
    "HardSwish": lambda b, x: b.op("HardSwish", x),
    "Sigmoid": lambda b, x: b.op("Sigmoid", x),
    "Tanh": lambda b, x: b.op("Tanh", x),
    "LeakyRelu": lambda b, x: b.op("LeakyRelu", x, alpha=0.2),
    "PRelu": lambda b, x: b.op("PRelu", x, b.random(dims(x)[1], 1, 1)),
    "HardSigmoid of hard-swish": lambda b, x: b.op("HardSigmoid", x, alpha=1 / 6, beta=0.5),
    "HardSigmoid": lambda b, x: b.op("HardSigmoid", x, alpha=0.3, beta=0.4),
    "Softmax": lambda b, x: b.op("Softmax", x, axis=1),
    "Clip 0, 6": lambda b, x: b.op("Clip", x, b.const(0), b.const(6)),
    "Clip -1, 1": lambda b, x: b.op("Clip", x, b.const(-1), b.const(1)),
    "Clip 0, 1": lambda b, x: b.op("Clip", x, b.const(0), b.const(1)),
    "Clip -0.5, 0.3": lambda b, x: b.op("Clip", x, b.const(-0.5), b.const(0.3)),
    "Clip from below": lambda b, x: b.op("Clip", x, b.const(-0.2)),
    "Clip from above": lambda b, x: b.op("Clip", x, None, b.const(0.2)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=4, deadline=None)
@given(seed=seeds, depth=channels, height=sides, width=sides, fused=st.booleans())
def test_activation(name: str, seed: int, depth: int, height: int, width: int, fused: bool) -> None:
    b = builder(seed, 1, depth, height, width)
    x = b.conv(b.image, 4) if fused else b.image
    assert_same(b.done(ACTIVATIONS[name](b, b.op("Mul", x, b.const(3)))))


def test_softmax_of_logits() -> None:
    b = builder(0, 2, 5)
    assert_same(b.done(b.op("Softmax", b.image, axis=-1)))


def test_a_clamp_is_fused_only_into_an_operator_that_nothing_else_reads() -> None:
    b = builder(0, 1, 3, 4, 4)
    x = b.conv(b.image, 3)
    data = assert_same(b.done(b.op("Add", b.op("Relu", x), x)))
    assert operators(data) == ["CONV_2D", "RELU", "ADD"]


@few
@given(seeds, channels, sides, sides)
def test_global_average_pool(seed: int, depth: int, height: int, width: int) -> None:
    b = builder(seed, 1, depth, height, width)
    assert_same(b.done(b.op("GlobalAveragePool", b.image)))


@st.composite
def pools(draw: st.DrawFn, op: str) -> ir.Model:
    b = builder(draw(seeds), 1, draw(channels), draw(st.integers(3, 11)), draw(st.integers(3, 11)))
    kernel, strides = (
        [draw(st.integers(2, 3)), draw(st.integers(2, 3))],
        [draw(st.integers(1, 2)), draw(st.integers(1, 2))],
    )
    attributes: dict[str, object] = {"kernel_shape": kernel, "strides": strides}
    attributes["pads"] = [draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)]
    if op == "AveragePool":
        attributes["count_include_pad"] = 1
    else:
        attributes["ceil_mode"] = draw(st.integers(0, 1))
    x = b.op("Relu", b.image) if draw(st.booleans()) else b.image
    model = b.done(b.op(op, x, **attributes))
    # onnx counts a window that lies in padding only, onnxruntime does not
    assume(evaluate(model, image_for(model)).shape == dims(model.graph.outputs[0]))
    return model


@few
@given(pools("MaxPool"))
def test_max_pool(model: ir.Model) -> None:
    assert_same(model, delegated=False)


@few
@given(pools("AveragePool"))
def test_average_pool(model: ir.Model) -> None:
    assert_same(model)


def test_max_pool_of_resnet_pads_with_zero_inside_the_partition() -> None:
    b = builder(0, 1, 3, 12, 12)
    x = b.op("Relu", b.conv(b.image, 4))
    assert_same(b.done(b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])))


def test_average_pool_without_the_padding() -> None:
    b = builder(0, 1, 3, 9, 9)
    assert_same(b.done(b.op("AveragePool", b.image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])))


@few
@given(seeds, st.integers(1, 3), channels, sides, sides, st.integers(1, 3), st.booleans())
def test_concat(seed: int, axis: int, depth: int, height: int, width: int, others: int, negative: bool) -> None:
    b = builder(seed, 1, depth, height, width)
    inputs = [b.image] + [b.op("Mul", b.image, b.const(n + 2)) for n in range(others)]
    assert_same(b.done(b.op("Concat", *inputs, axis=axis - 4 if negative else axis)))


@few
@given(seeds, channels, sides, sides, st.sampled_from(["Flatten", "Reshape"]), st.booleans())
def test_flatten_before_a_linear_layer(seed: int, depth: int, height: int, width: int, op: str, twice: bool) -> None:
    """The layer's columns are permuted instead of the image, unless something else reads the flat tensor too."""
    b = builder(seed, 1, depth, height, width)
    size = depth * height * width
    x = b.op("Flatten", b.image) if op == "Flatten" else b.op("Reshape", b.image, b.const([1, -1], np.int64))
    y = b.op("Gemm", x, b.random(size, 3), b.random(3))
    if twice:
        y = b.op("Add", y, b.op("Gemm", b.op("Relu", x), b.random(size, 3), b.random(3)))
    data = assert_same(b.done(y))
    interleaved = depth > 1 and height * width > 1
    assert ("TRANSPOSE" in operators(data)) == (twice and interleaved)


@few
@given(seeds, channels, sides, sides)
def test_flatten_as_an_output(seed: int, depth: int, height: int, width: int) -> None:
    b = builder(seed, 1, depth, height, width)
    assert_same(b.done(b.op("Flatten", b.op("Relu", b.image))))


@few
@given(seeds, channels, small, small)
def test_reshape_of_a_matrix_to_an_image(seed: int, depth: int, height: int, width: int) -> None:
    b = builder(seed, 1, depth * height * width)
    assert_same(b.done(b.op("Reshape", b.op("Relu", b.image), b.const([1, depth, height, width], np.int64))))


@few
@given(seeds, st.permutations(range(4)), channels, sides, sides)
def test_transpose(seed: int, order: list[int], depth: int, height: int, width: int) -> None:
    b = builder(seed, 1, depth, height, width)
    assert_same(b.done(b.op("Transpose", b.op("Relu", b.image), perm=order)))


@few
@given(seeds, channels, sides, sides, st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_pad(seed: int, depth: int, height: int, width: int, pads: list[int]) -> None:
    b = builder(seed, 1, depth, height, width)
    assert_same(b.done(b.op("Pad", b.op("Relu", b.image), b.const(pads, np.int64), b.const(0.0))))


@pytest.mark.parametrize("op", ["Squeeze", "Unsqueeze"])
def test_axes_of_one(op: str) -> None:
    b = builder(0, 1, 5)
    x = b.op("Unsqueeze", b.op("Relu", b.image), b.const([2, 3], np.int64))
    if op == "Squeeze":
        x = b.op("Squeeze", x, b.const([2, 3], np.int64))
    assert_same(b.done(x))


def _three_d(b: Builder) -> ir.Value:
    x = b.op("Reshape", b.image, b.const([1, 3, 64], np.int64))
    return b.op("Conv", x, b.random(2, 3, 3))


UNSUPPORTED: dict[str, tuple[Callable[[Builder], ir.Value], str]] = {
    "unknown": (lambda b: b.op("Erf", b.image), r"Erf \(node '[^']+'\) has no TFLite rule: known operators are Add, "),
    "other domain": (
        lambda b: b.op("Gelu", b.image, domain="com.microsoft"),
        "com.microsoft.Gelu .* has no TFLite rule",
    ),
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
    "padded mean": (
        lambda b: b.op("AveragePool", b.image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        "left out of the mean",
    ),
    "reflecting pad": (
        lambda b: b.op("Pad", b.image, b.const([0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="reflect"),
        "'reflect'",
    ),
    "cropping": (lambda b: b.op("Pad", b.image, b.const([0, 0, -1, 0, 0, 0, 0, 0], np.int64)), "cropping"),
    "softmax over rows": (lambda b: b.op("Softmax", b.image, axis=2), "along the channels"),
    "transposed input": (
        lambda b: b.op("Gemm", b.op("Flatten", b.image), b.random(1, 4), transA=1),
        "constant weights",
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_cannot_be_written_names_the_operator_and_the_node(name: str) -> None:
    make, message = UNSUPPORTED[name]
    b = builder(0, 1, 3, 8, 8)
    model = b.done(make(b))
    with pytest.raises(UnsupportedOperatorError, match=message):
        to_bytes(model, name="test")
