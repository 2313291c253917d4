import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.quantization.affine import Affine, quantize_array
from melanoma_edge.quantization.fake import decode, encode, fake_quantize

affines = st.builds(Affine, st.sampled_from([1 / 128, 1 / 256, 0.0235294122248888, 3.0]), st.integers(0, 255))


@given(affines, st.lists(st.floats(-1000, 1000, width=32), min_size=1))
def test_all_three_ways_to_quantize_agree(affine: Affine, values: list[float]) -> None:
    array = np.array(values, np.float32)
    integers = encode(torch.from_numpy(array), affine)
    np.testing.assert_array_equal(integers.numpy(), quantize_array(array, affine))
    found = fake_quantize(torch.from_numpy(array), affine)
    np.testing.assert_allclose(found.numpy(), decode(integers, affine).numpy(), rtol=1e-6)


def test_the_gradient_is_one_inside_the_range_and_zero_outside() -> None:
    values = torch.tensor([-1.0, 0.3, 5.9, 7.0], requires_grad=True)
    fake_quantize(values, Affine(6 / 255, 0)).sum().backward()
    assert values.grad is not None and values.grad.tolist() == [0, 1, 1, 0]
