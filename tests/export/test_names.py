"""Names inside a graph are its author's: none of them changes what is made of it."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder, evaluate

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.export.emit import to_bytes
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax
from melanoma_edge.stages import export

SIZE = 12
OWN = Preprocessing(SIZE, (120.0, 110.0, 100.0), (60.0, 50.0, 40.0))
CLASHES = {
    "an inner tensor named logits": {"relu": "logits", "image": "input", "logits": "out"},
    "an inner tensor named image": {"conv": "image", "image": "input", "logits": "out"},
    "a weight named image": {"weight": "image", "image": "input", "logits": "out"},
    "a weight named logits": {"weight": "logits", "image": "input", "logits": "out"},
    "the ends exchanged": {"image": "logits", "logits": "image"},
    "what the heat map is called": {"conv": "heat_map", "relu": "heat_map_weight"},
    "what the quantiser makes": {"conv": "image_quantized", "relu": "image_dequantized", "pool": "image_on_grid"},
    "scales": {"weight": "image_scale", "bias": "image_zero_point", "conv": "int8_zero_points_4"},
    "a frame": {"conv": "image_framed", "weight": "image_frame", "bias": "image_border"},
}


def network(names: dict[str, str]) -> ir.Model:
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Relu", b.conv(b.image, 4, 3))
    x = b.op("Relu", b.conv(x, 4, 3))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    first, second, pool = b.graph[0], b.graph[1], b.graph[4]
    values = {
        "image": b.image,
        "conv": first.outputs[0],
        "relu": second.outputs[0],
        "pool": pool.outputs[0],
        "logits": model.graph.outputs[0],
        "weight": first.inputs[1],
        "bias": first.inputs[2],
    }
    for value in values.values():
        _call(b.graph, value, f"own_{value.name}")  # type: ignore[union-attr]
    for old, name in {"image": "image", "logits": "logits", **names}.items():
        _call(b.graph, values[old], name)
    return model


def _call(owner: ir.Graph, value: ir.Value | None, name: str) -> None:
    assert value is not None
    is_initializer = value.is_initializer()
    if is_initializer:
        owner.initializers.pop(str(value.name))
    value.name = name
    if is_initializer:
        assert value.const_value is not None
        value.const_value.name = name
        owner.register_initializer(value)


def made(model: ir.Model, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Logits of the float and of the INT8 graph, which can be written as a file too."""
    folder.mkdir()
    ir.save(model, folder / "net.onnx")
    graph = ir.load(export.adopt(folder, folder / "net.onnx", OWN).folder / export.MODEL)
    passes.apply(graph, "integer")
    images = np.random.default_rng(2).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.uint8)
    quantized, _ = quantize(graph, images, Preprocessing(SIZE), minmax.RECIPE)
    image = (images[:1].transpose(0, 3, 1, 2).astype(np.float32) - 128) / 128
    assert to_bytes(quantized.clone(), name="net")
    return evaluate(graph, image), evaluate(quantized, image)


@pytest.mark.parametrize("name", CLASHES)
def test_names_change_nothing(name: str, tmp_path: Path) -> None:
    floats, integers = made(network({}), tmp_path / "plain")
    found = made(network(CLASHES[name]), tmp_path / "named")
    np.testing.assert_array_equal(found[0], floats)
    np.testing.assert_array_equal(found[1], integers)
