"""Each 8-bit operator gives what the QDQ graph defines, rounded to one of the two nearest integers."""

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import Builder, evaluate, image_for
from qdq_graphs import before_rounding, constant, fitted, pair, scale_of, weights_and_bias
from tflite_file import operators, partitions, run, tensors

from melanoma_edge.export.emit import to_bytes

ONE_ROUNDING = 0.8  # steps: half of one for the rounding, the rest for a kernel's own fixed-point arithmetic
TWO_ROUNDINGS = 1.8  # where an earlier 8-bit value may already be a step off
few = settings(max_examples=6, deadline=None)
seeds = st.integers(0, 2**31)
channels = st.integers(1, 6)
sides = st.integers(1, 9)
small = st.integers(1, 3)


class Case:
    """A graph that starts with an image in 8 bits."""

    def __init__(self, seed: int, *shape: int) -> None:
        self.b = Builder(shape, np.random.default_rng(seed))
        self.image = image_for(self.b.model, seed)
        self.x = self.fit(self.b.image)

    def fit(self, value: ir.Value) -> ir.Value:
        return fitted(self.b, value, self.image)

    def check(self, y: ir.Value, *expected_operators: str, within: float = ONE_ROUNDING) -> bytes:
        """`y` ends in a DequantizeLinear; compare both sets of kernels, in steps, with what it rounds."""
        step, expected = scale_of(y), before_rounding(self.b, y, self.image)
        model = self.b.done(y)
        data = to_bytes(model, name="test")
        for delegate in (True, False):
            found = run(data, self.image, delegate=delegate)
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() / step <= within
        inner = [name for name in operators(data) if name not in ("PAD", "RESHAPE")]
        assert inner == ["QUANTIZE", *expected_operators, "DEQUANTIZE"]
        assert partitions(data) == (1, ())
        return data


@few
@given(seeds, st.integers(1, 2), st.integers(1, 12), st.integers(1, 12), st.booleans())
def test_linear(seed: int, rows: int, inputs: int, outputs: int, per_channel: bool) -> None:
    case = Case(seed, rows, inputs)
    array = case.b.rng.normal(size=(outputs, inputs))
    layer = weights_and_bias(case.b, case.x, array, per_channel=per_channel)
    y = case.fit(case.b.op("Gemm", case.x, *layer, transB=1))
    case.check(y, "CONV_2D" if per_channel and outputs > 1 else "FULLY_CONNECTED")


@few
@given(seeds, channels, small, small)
def test_linear_behind_a_flattened_image(seed: int, depth: int, height: int, width: int) -> None:
    case = Case(seed, 1, depth, height, width)
    x = pair(case.b, case.b.op("Flatten", case.x), scale_of(case.x), _zero_point(case.x))
    layer = weights_and_bias(case.b, case.x, case.b.rng.normal(size=(3, depth * height * width)))
    case.check(case.fit(case.b.op("Gemm", x, *layer, transB=1)), "CONV_2D")


@few
@given(seeds, st.sampled_from(["Add", "Sub", "Mul"]), st.integers(2, 6), sides, sides, st.booleans())
def test_arithmetic_of_two_images(seed: int, op: str, depth: int, height: int, width: int, gate: bool) -> None:
    case = Case(seed, 1, depth, height, width)
    other = (
        case.b.op("GlobalAveragePool", case.x) if gate else case.b.op("Mul", case.x, constant(case.b, np.array(-1.5)))
    )
    first = case.fit(other)
    case.check(case.fit(case.b.op(op, first, case.x)), "MEAN" if gate else "MUL", op.upper(), within=TWO_ROUNDINGS)


@few
@given(seeds, st.sampled_from(["Add", "Sub", "Mul"]), channels, sides, sides, st.booleans(), st.booleans())
def test_arithmetic_with_a_constant(
    seed: int, op: str, depth: int, height: int, width: int, per_channel: bool, swap: bool
) -> None:
    case = Case(seed, 1, depth, height, width)
    number = constant(case.b, case.b.rng.uniform(0.5, 2, (depth, 1, 1) if per_channel else ()))
    operands = [number, case.x] if swap else [case.x, number]
    case.check(case.fit(case.b.op(op, *operands)), op.upper())


@few
@given(seeds, channels, st.integers(2, 9), st.integers(2, 9))
def test_global_average_pool(seed: int, depth: int, height: int, width: int) -> None:
    case = Case(seed, 1, depth, height, width)
    # without XNNPACK, LiteRT's MEAN truncates the zero point's share of the output, up to one step more
    case.check(case.fit(case.b.op("GlobalAveragePool", case.x)), "MEAN", within=TWO_ROUNDINGS)


@few
@given(seeds, channels, sides, sides)
def test_sigmoid_has_its_fixed_scale(seed: int, depth: int, height: int, width: int) -> None:
    case = Case(seed, 1, depth, height, width)
    data = case.check(pair(case.b, case.b.op("Sigmoid", case.x), 1 / 256, 0), "LOGISTIC")
    assert (1 / 256, -128) in [tensor["quantization"] for tensor in tensors(data)]


def test_sigmoid_with_another_scale_runs_in_float() -> None:
    case = Case(0, 1, 3, 4, 4)
    case.check(pair(case.b, case.b.op("Sigmoid", case.x), 1 / 255, 0), "DEQUANTIZE", "LOGISTIC", "QUANTIZE")


@few
@given(seeds, channels, sides, sides, st.booleans())
def test_leaky_relu(seed: int, depth: int, height: int, width: int, steep: bool) -> None:
    case = Case(seed, 1, depth, height, width)
    case.check(case.fit(case.b.op("LeakyRelu", case.x, alpha=0.3 if steep else 0.1)), "LEAKY_RELU")


@few
@given(seeds, channels, st.integers(3, 9), st.integers(3, 9), st.integers(0, 1))
def test_max_pool(seed: int, depth: int, height: int, width: int, pad: int) -> None:
    case = Case(seed, 1, depth, height, width)
    x = pair(case.b, case.b.op("Relu", case.x), scale_of(case.x), 0)
    y = case.b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[pad] * 4)
    case.check(pair(case.b, y, scale_of(case.x), 0), "QUANTIZE", "MAX_POOL_2D")


@few
@given(seeds, st.integers(1, 3), channels, sides, sides, st.booleans())
def test_concat(seed: int, axis: int, depth: int, height: int, width: int, one_scale: bool) -> None:
    """Inputs of another scale than the output's go through a QUANTIZE."""
    case = Case(seed, 1, depth, height, width)
    wide = 2 * scale_of(case.x)
    other = pair(case.b, case.b.op("Mul", case.x, constant(case.b, np.array(2.0))), wide, _zero_point(case.x))
    first = pair(case.b, case.x, wide, _zero_point(case.x)) if one_scale else case.x
    y = pair(case.b, case.b.op("Concat", first, other, axis=axis), wide, _zero_point(case.x))
    case.check(y, "MUL", "QUANTIZE", "CONCATENATION", within=TWO_ROUNDINGS)


CLAMPS: dict[str, tuple[Callable[[Builder, ir.Value], ir.Value], float]] = {
    "Relu": (lambda b, x: b.op("Relu", x), 4.0),
    "relu6": (lambda b, x: b.op("Clip", x, b.const(0), b.const(6)), 6.0),
    "0 to 1": (lambda b, x: b.op("Clip", x, b.const(0), b.const(1)), 1.0),
}


@pytest.mark.parametrize("name", CLAMPS)
def test_a_clamp_is_the_saturation_of_the_operator_before_it(name: str) -> None:
    clamp, high = CLAMPS[name]
    case = Case(0, 1, 3, 6, 6)
    layer = weights_and_bias(case.b, case.x, 4 * case.b.rng.normal(size=(5, 3, 1, 1)))
    y = clamp(case.b, case.b.op("Conv", case.x, *layer))
    case.check(pair(case.b, y, high / 255, 0), "CONV_2D")


def test_a_clamp_inside_the_range_is_fused() -> None:
    case = Case(0, 1, 3, 6, 6)
    layer = weights_and_bias(case.b, case.x, 4 * case.b.rng.normal(size=(5, 3, 1, 1)))
    y = case.b.op("Clip", case.b.op("Conv", case.x, *layer), case.b.const(0), case.b.const(6))
    case.check(pair(case.b, y, 10 / 255, 20), "CONV_2D")


def test_a_clamp_of_its_own_is_a_change_of_scale() -> None:
    case = Case(0, 1, 3, 6, 6)
    case.check(pair(case.b, case.b.op("Relu", case.x), 2 / 255, 0), "QUANTIZE")


def test_one_value_for_several_8_bit_readers_costs_nothing() -> None:
    case = Case(0, 1, 3, 6, 6)
    first = case.fit(case.b.op("Conv", case.x, *weights_and_bias(case.b, case.x, case.b.rng.normal(size=(3, 3, 1, 1)))))
    second = case.fit(case.b.op("Mul", first, case.x))
    case.check(case.fit(case.b.op("Add", second, first)), "CONV_2D", "MUL", "ADD", within=TWO_ROUNDINGS)


def test_a_float_operator_stands_between_dequantize_and_quantize() -> None:
    case = Case(0, 1, 3, 6, 6)
    case.check(case.fit(case.b.op("HardSwish", case.x)), "DEQUANTIZE", "HARD_SWISH", "QUANTIZE")


def test_a_float_head_reads_dequantized_values_and_float_weights() -> None:
    case = Case(0, 1, 3, 6, 6)
    x = case.fit(case.b.op("GlobalAveragePool", case.x))
    x = pair(case.b, case.b.op("Flatten", x), scale_of(x), _zero_point(x))
    model = case.b.done(case.b.linear(x, 2))
    data = to_bytes(model, name="test")
    assert operators(data) == ["QUANTIZE", "MEAN", "RESHAPE", "DEQUANTIZE", "FULLY_CONNECTED"]
    np.testing.assert_allclose(run(data, case.image), evaluate(model, case.image), atol=0.01)


def test_a_float_convolution_between_8_bit_ones() -> None:
    """Mixed precision: a value that a float and an 8-bit operator read is dequantised once, for the float one."""
    case = Case(0, 1, 3, 6, 6)
    middle = case.b.conv(case.x, 3, 3)
    y = case.fit(case.b.op("Add", case.fit(middle), case.x))
    case.check(y, "DEQUANTIZE", "CONV_2D", "QUANTIZE", "ADD")


def _zero_point(x: ir.Value) -> int:
    node = x.producer()
    assert node is not None and node.inputs[2] is not None and node.inputs[2].const_value is not None
    return int(node.inputs[2].const_value.numpy().reshape(()))
