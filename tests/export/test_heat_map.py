"""The second output against Grad-CAM by captum, and what it must leave as it was."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from captum.attr import LayerGradCam
from numpy.typing import NDArray
from onnx_graphs import Builder
from PIL import Image
from settled_networks import SIZE, blurred_noise, exported
from torch import nn

from melanoma_edge import formats, graph
from melanoma_edge.artifact import HEAT_MAP
from melanoma_edge.bench.partitions import partitions
from melanoma_edge.data.lesions import draw_lesion, paint, photograph
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.errors import InputError
from melanoma_edge.export import heat_map, passes
from melanoma_edge.export.emit import emit
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax, static_wi8_ai8
from melanoma_edge.quantization.recipe import Recipe
from melanoma_edge.verify.heat_maps import correlations

MELANOMA = 1
POOLED = {  # the module whose output is pooled
    "mobilenet_v2": "features",
    "efficientnet_b0": "features",
    "efficientnet_lite0": "bn2",
    "meshnet": "features",
}
CLOSE = 1e-3  # of maps that run from 0 to 1
ALIKE = 0.5  # least median correlation of an INT8 map with the float one: min-max ranges, random weights, nine places
TRAINED = 0.98  # least correlation for a trained network; 0.999 when this was written
NETWORK = Path(__file__).parents[1] / "networks" / "meshnet_synthetic.onnx"


@dataclass(frozen=True)
class Built:
    """A backbone in torch, and its files with and without heat maps by (precision, "plain" or "mapped", suffix)."""

    arch: str
    network: nn.Module
    pixels: NDArray[np.uint8]
    folder: Path

    def file(self, precision: str, kind: str, suffix: str) -> Path:
        return self.folder / f"{precision}_{kind}.{suffix}"

    def maps(self, precision: str, suffix: str) -> NDArray[np.float32]:
        return formats.load(self.file(precision, "mapped", suffix)).heat_map(self.pixels)


class LogOdds(nn.Module):
    """Logit of melanoma less the other's, which is what the map explains."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = self.network(image)
        return logits[:, MELANOMA] - logits[:, 1 - MELANOMA]


def write(model: ir.Model, folder: Path, precision: str, melanoma: int = MELANOMA) -> None:
    """The four files of a graph."""
    for kind in ("plain", "mapped"):
        copy = model.clone()
        if kind == "mapped":
            heat_map.append(copy, melanoma)
        ir.save(copy, folder / f"{precision}_{kind}.onnx")
        emit(copy, folder / f"{precision}_{kind}.tflite", name=kind)


def normalized(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """What Grad-CAM shows (Selvaraju et al., arXiv:1610.02391): the positive part, by its largest value."""
    positive = np.maximum(maps, 0)
    return positive / positive.max(axis=(1, 2), keepdims=True)


def random_graph(classes: int = 2) -> tuple[ir.Model, NDArray[np.uint8]]:
    b = Builder((1, 3, 32, 32))
    x = b.op("Relu", b.conv(b.op("Relu", b.conv(b.image, 6, 3, strides=[2, 2])), 8, 3))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), classes))
    passes.apply(model, "clean")
    return model, np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)


@pytest.fixture(scope="module", params=POOLED)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    pixels, folder = blurred_noise(), tmp_path_factory.mktemp(request.param)
    network, data = exported(request.param)
    model = ir.from_proto(onnx.load_from_string(data))
    passes.apply(model, "clean")
    write(model, folder, "float32")
    passes.apply(model, "integer")
    write(quantize(model, pixels, Preprocessing(SIZE), minmax.RECIPE)[0], folder, "int8")
    return Built(request.param, network, pixels, folder)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_float_maps_are_grad_cam(built: Built, suffix: str) -> None:
    cam = LayerGradCam(LogOdds(built.network), built.network.get_submodule(POOLED[built.arch]))
    images = torch.from_numpy(normalize(built.pixels, Preprocessing(SIZE)).transpose(0, 3, 1, 2).copy())
    expected = cam.attribute(images, relu_attributions=True).detach().numpy()[:, 0]
    found = built.maps("float32", suffix)
    assert found.shape == expected.shape and found.dtype == np.float32
    seen = expected.max(axis=(1, 2)) > 0  # Grad-CAM shows nothing where everything speaks against melanoma
    assert seen.sum() >= 3
    assert np.abs(normalized(found[seen]) - normalized(expected[seen])).max() < CLOSE


def test_the_mean_of_a_map_is_the_log_odds_without_the_bias(built: Built) -> None:
    bias = [p for name, p in built.network.named_parameters() if name.endswith("bias")][-1].detach().numpy()
    logits = formats.load(built.file("float32", "plain", "onnx"))(built.pixels)
    mean = built.maps("float32", "onnx").mean(axis=(1, 2))
    assert mean + bias[1] - bias[0] == pytest.approx(logits[:, 1] - logits[:, 0], abs=1e-3)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_int8_maps_are_like_the_float_ones(built: Built, suffix: str) -> None:
    found = correlations(built.maps("float32", suffix), built.maps("int8", suffix))
    assert np.median(found) > ALIKE, f"{built.arch}: {found}"


def test_int8_maps_of_a_trained_network_are_the_float_ones(tmp_path: Path) -> None:
    lesions = [draw_lesion(("mel", "nv")[i % 2], (i,)) for i in range(8)]
    size = (160, 160)
    views = [Image.fromarray(photograph(lesion, paint(lesion), 0)[:, 25:175]).resize(size) for lesion in lesions]
    pixels = np.stack([np.asarray(view) for view in views])
    model = ir.load(NETWORK)
    passes.apply(model, "clean")
    write(model, tmp_path, "float32")
    passes.apply(model, "integer")
    write(quantize(model, pixels, Preprocessing(160), minmax.RECIPE)[0], tmp_path, "int8")
    for suffix in ("onnx", "tflite"):
        exact, rough = (formats.load(tmp_path / f"{p}_mapped.{suffix}").heat_map(pixels) for p in ("float32", "int8"))
        assert correlations(exact, rough).min() > TRAINED


def test_int8_maps_of_both_runtimes_agree(built: Built) -> None:
    onnx, tflite = (built.maps("int8", suffix) for suffix in ("onnx", "tflite"))
    assert np.median(correlations(onnx, tflite)) > 0.99


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_logits_keep_every_bit_and_the_file_its_one_partition(built: Built, precision: str) -> None:
    for suffix in ("onnx", "tflite"):
        plain, mapped = (formats.load(built.file(precision, kind, suffix)) for kind in ("plain", "mapped"))
        assert np.array_equal(plain(built.pixels[:4]), mapped(built.pixels[:4]))
    before, after = (partitions(built.file(precision, kind, "tflite")) for kind in ("plain", "mapped"))
    assert before is not None and after is not None
    assert after.partitions == before.partitions == 1 and after.outside == ()
    assert after.operators - before.operators <= 2  # the convolution, and a DEQUANTIZE where the pooling has integers


def test_seven_classes_stand_against_the_mean_of_the_others(tmp_path: Path) -> None:
    model, pixels = random_graph(classes=7)
    found = heat_map.head(model)
    heat_map.append(model, 4)
    ir.save(model, tmp_path / "seven.onnx")
    loaded = formats.load(tmp_path / "seven.onnx")
    logits, maps = loaded(pixels), loaded.heat_map(pixels)
    bias = graph.constant(model.graph.outputs[0].producer().inputs[2])
    shares = logits - bias
    expected = shares[:, 4] - np.delete(shares, 4, axis=1).mean(axis=1)
    assert found.weights.shape == (7, 8)
    assert maps.mean(axis=(1, 2)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("recipe", [minmax.RECIPE, static_wi8_ai8.RECIPE], ids=lambda recipe: recipe.name)
def test_an_integer_head_is_read_through_its_scales(recipe: Recipe, tmp_path: Path) -> None:
    model, pixels = random_graph()
    write(model, tmp_path, "float32")
    passes.apply(model, "integer")
    write(quantize(model, pixels, Preprocessing(32), recipe)[0], tmp_path, "int8")
    for suffix in ("onnx", "tflite"):
        exact, rough = (formats.load(tmp_path / f"{p}_mapped.{suffix}").heat_map(pixels) for p in ("float32", "int8"))
        assert correlations(exact, rough).min() > 0.99
        assert np.abs(exact - rough).max() < 0.1 * np.abs(exact).max()


def test_outputs_have_the_shapes_that_the_docs_tell(tmp_path: Path) -> None:
    from melanoma_edge.runtime import litert

    model, _ = random_graph()
    write(model, tmp_path, "float32")
    logits, extra = ir.load(tmp_path / "float32_mapped.onnx").graph.outputs
    assert (logits.name, extra.name, graph.dims(extra)) == ("logits", HEAT_MAP, (1, 1, 16, 16))
    ends = litert.allocate(tmp_path / "float32_mapped.tflite").get_output_details()
    assert [(end["name"], list(end["shape"])) for end in ends] == [("logits", [1, 2]), (HEAT_MAP, [1, 16, 16, 1])]


def test_two_layers_behind_the_pooling_are_refused_with_the_way_out() -> None:
    b = Builder((1, 3, 32, 32))
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 6, 3))))
    model = b.done(b.linear(b.op("Relu", b.linear(x, 5)), 2))
    passes.apply(model, "clean")
    with pytest.raises(InputError, match=r"Gemm behind Relu.*--head linear"):
        heat_map.append(model, MELANOMA)
    assert len(model.graph.outputs) == 1


def test_a_layer_that_is_not_behind_a_pooling_is_refused() -> None:
    b = Builder((1, 3, 8, 8))
    model = b.done(b.linear(b.op("Flatten", b.conv(b.image, 4, 3)), 2))
    passes.apply(model, "clean")
    with pytest.raises(InputError, match="no exact heat map"):
        heat_map.append(model, MELANOMA)
