"""How float files are written: what is padded, fused, turned. That operators compute what they should: `test_table`."""

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, evaluate, image_for
from tflite_file import operators, partitions, run

from melanoma_edge.export.emit import to_bytes

few = settings(max_examples=6, deadline=None)
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


@pytest.mark.parametrize(("side", "pad_operators"), [(8, 1), (9, 0)])
def test_a_pad_is_written_only_where_same_differs(side: int, pad_operators: int) -> None:
    b = builder(0, 1, 3, side, side)
    data = assert_same(b.done(b.conv(b.image, 4, 3, strides=[2, 2])))
    assert operators(data).count("PAD") == pad_operators


def test_a_clamp_is_fused_only_into_an_operator_that_nothing_else_reads() -> None:
    b = builder(0, 1, 3, 4, 4)
    x = b.conv(b.image, 3)
    data = assert_same(b.done(b.op("Add", b.op("Relu", x), x)))
    assert operators(data) == ["CONV_2D", "RELU", "ADD"]


def test_max_pool_of_resnet_pads_with_zero_inside_the_partition() -> None:
    b = builder(0, 1, 3, 12, 12)
    x = b.op("Relu", b.conv(b.image, 4))
    assert_same(b.done(b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])))


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


def test_a_pad_of_lowest_values_stays_inside_the_partition() -> None:
    b = builder(0, 1, 3, 12, 12)
    data = assert_same(b.done(b.op("MaxPool", b.image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])))
    assert operators(data) == ["CONCATENATION", "CONCATENATION", "MAX_POOL_2D"]


def test_what_is_no_image_keeps_its_axes() -> None:
    """Channels last is where images are: tensors of four dimensions between two reshapes are turned for nothing."""
    b = builder(0, 1, 4, 6, 6)
    heads = b.op(
        "Transpose", b.op("Reshape", b.op("Flatten", b.image), b.const([1, 9, 4, 4], np.int64)), perm=[0, 2, 1, 3]
    )
    x = b.op("Add", b.op("Softmax", heads, axis=-1), b.random(4, 1, 4))
    data = assert_same(b.done(b.op("Flatten", b.op("Relu", x))))
    assert operators(data).count("TRANSPOSE") == 2  # of the image to be flattened, and the author's own
