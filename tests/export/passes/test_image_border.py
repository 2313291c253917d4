"""The frame around the image, on the way to INT8: colours that the image's integers can say, or no frame at all."""

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder, evaluate, op_types

from melanoma_edge.export import passes
from melanoma_edge.export.normalization import fold_input_normalization
from melanoma_edge.export.passes import image_border

STD = (60.0, 50.0, 40.0)


def framed(mean: tuple[float, ...], pads: list[int], size: int = 8, stride: int = 2) -> ir.Model:
    b = Builder((1, 3, size, size))
    x = b.conv(b.image, 4, 3, pads=pads, strides=[stride, stride])
    model = b.done(b.linear(b.op("Flatten", x), 2))
    passes.apply(model, "clean")
    fold_input_normalization(model, mean, STD)
    return model


def pads_of(model: ir.Model) -> list[int]:
    return list(next(n for n in model.graph if n.op_type == "Conv").attributes["pads"].as_ints())


@pytest.mark.parametrize(
    ("pads", "size", "given_back"),
    [
        ([1, 1, 1, 1], 8, [1, 1, 1, 1]),  # the last row is not read: symmetric all the same, as exporters write it
        ([1, 1, 1, 1], 9, [1, 1, 1, 1]),
        ([0, 0, 1, 1], 8, [0, 0, 1, 1]),
        ([0, 2, 0, 0], 9, [0, 2, 0, 0]),
    ],
)
def test_a_colour_within_half_a_level_of_128_becomes_padding_again(
    pads: list[int], size: int, given_back: list[int]
) -> None:
    model = framed((127.5, 128.4, 127.8), pads, size)
    assert "Concat" in op_types(model)
    assert image_border.run(model) == 1
    assert "Concat" not in op_types(model)
    assert pads_of(model) == given_back
    assert image_border.run(model) == 0


def test_other_colours_become_the_nearest_levels() -> None:
    model = framed((123.675, 116.28, 103.53), [1, 1, 1, 1])
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 8, 8)).astype(np.float32)
    before = evaluate(model, image)
    assert image_border.run(model) == 1
    assert op_types(model)[:2] == ["Concat", "Concat"]
    constants = [v.const_value.numpy() for n in list(model.graph)[:2] for v in n.inputs if v and v.const_value]
    assert [np.unique(c * 128).tolist() for c in constants] == [[-24.0, -12.0, -4.0]] * 2
    assert 0 < np.abs(evaluate(model, image) - before).max() < 0.1
    assert image_border.run(model) == 0
