"""What a graph is predicted to take follows from what it does, and from nothing else."""

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder
from small_network import IMAGES, SPEC, mobile

from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.quantizers import Subject
from melanoma_edge.selection import cost


def layers() -> ir.Model:
    """8 x 8 pixels: dense 3 to 4 channels, depthwise 3 x 3, pointwise 4 to 6, a sum, the mean, and a Gemm 6 to 2."""
    b = Builder((1, 3, 8, 8), np.random.default_rng(0))
    x = b.op("Relu", b.conv(b.image, 4, 3))
    x = b.conv(b.conv(x, 4, 3, group=4), 6)
    x = b.op("Add", x, x)
    return b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))


def test_every_kind_of_layer_counts_by_itself() -> None:
    done = cost.work(layers())
    assert done["float dense"] == 64 * 4 * 27
    assert done["float depthwise"] == 64 * 4 * 9
    assert done["float pointwise"] == 64 * 6 * 4
    assert done["float vector"] == 12
    assert done["float elements"] == 3 * 64 * 6 + 64 * 6 + 6
    assert done["float operators"] == 6
    assert not any(kind.startswith("integer") and amount for kind, amount in done.items())


def test_integers_count_apart_and_conversions_where_float_begins() -> None:
    subject = Subject(mobile(), IMAGES, SPEC)
    (whole,) = quantizers.attempts("static_wi8_ai8", subject)
    (head,) = quantizers.attempts("static", subject)
    mixed = list(quantizers.attempts("mixed", subject))[-1]
    done = [cost.work(one.model) for one in (whole, head, mixed)]
    assert done[0]["float operators"] < done[1]["float operators"] < done[2]["float operators"]
    assert done[0]["grid"] == 0 < done[1]["grid"] < done[2]["grid"]
    assert (done[0]["to integers"], done[0]["to float"]) == (3 * SPEC.size**2, 2)
    assert done[2]["to float"] > 2
    assert done[0]["integer dense"] == done[1]["integer dense"] == cost.work(mobile())["float dense"]


@pytest.mark.parametrize("runtime", cost.RUNTIMES)
def test_integers_are_predicted_faster_and_float_as_itself(runtime: str) -> None:
    exact = layers()
    (quantized,) = quantizers.attempts("static", Subject(mobile(), IMAGES, SPEC))
    assert cost.ratio(exact, exact, runtime) == 1.0
    assert cost.ratio(quantized.model, mobile(("clean",)), runtime) > 0
