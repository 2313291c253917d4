import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from melanoma_edge.quantization.weights import LARGEST, bias_scales, dequantize, quantize_weights

weights = hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 7)), elements=st.floats(-8, 8, width=32))


@given(weights, st.sampled_from([2.0**-9, 0.0235, 1.5]))
def test_weights_are_off_by_half_a_step_at_most(weight: np.ndarray, input_scale: float) -> None:
    bias = weight.sum(axis=1)
    quantized = quantize_weights(weight, bias, input_scale, 0.05)
    assert quantized.values.dtype == np.int8 and np.abs(quantized.values.astype(int)).max() <= LARGEST
    assert (quantized.scales > np.finfo(np.float32).tiny).all()
    back, back_bias = dequantize(quantized, input_scale)
    assert (np.abs(back - weight) <= 0.5001 * quantized.scales[:, None]).all()
    step = bias_scales(input_scale, quantized.scales)
    assert (np.abs(back_bias - bias) <= 0.5 * step + 1e-6 * np.abs(bias)).all()


def test_the_largest_weight_of_each_channel_is_exact() -> None:
    weight = np.array([[1.0, -0.25], [-3.0, 0.1]], np.float32)
    quantized = quantize_weights(weight, np.zeros(2, np.float32), 0.1, 0.1)
    assert quantized.values[0, 0] == LARGEST and quantized.values[1, 0] == -LARGEST


def test_a_dead_channel_has_a_normal_scale_and_keeps_its_bias() -> None:
    weight = np.array([[0.0, 0.0], [1e-45, 0.0]], np.float32)
    bias = np.array([0.7, -40.0], np.float32)
    quantized = quantize_weights(weight, bias, 0.02, 0.02)
    assert (quantized.scales > np.finfo(np.float32).tiny).all()
    assert (bias_scales(0.02, quantized.scales) > np.finfo(np.float32).tiny).all()
    np.testing.assert_allclose(dequantize(quantized, 0.02)[1], bias, rtol=1e-6)


@given(st.floats(-(2.0**66), 2.0**66, width=32))
def test_a_bias_never_overflows(bias: float) -> None:
    quantized = quantize_weights(np.full((1, 3), 1e-6, np.float32), np.array([bias], np.float32), 1e-3, 1e-3)
    assert abs(int(quantized.bias[0])) <= 2**30 + 2**7
    back = dequantize(quantized, 1e-3)[1][0]
    assert abs(back - bias) <= 1e-6 * abs(bias) + bias_scales(1e-3, quantized.scales)[0]
