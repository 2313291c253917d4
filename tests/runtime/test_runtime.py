"""What the runtimes share, through `formats.load`."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder, evaluate

from melanoma_edge import formats, models
from melanoma_edge.artifact import Artifact
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.errors import InputError
from melanoma_edge.export import heat_map
from melanoma_edge.export.emit import emit
from melanoma_edge.runtime import pytorch
from melanoma_edge.train.weights import load_model, save_model

SUFFIXES = (".onnx", ".tflite", ".safetensors")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    spec = models.spec("meshnet", 2, image_size=32)
    path = tmp_path / "tiny.safetensors"
    save_model(path, models.create("meshnet", 2, dropout=spec.dropout, head=spec.head), spec, ("other", "melanoma"))
    return path


@pytest.fixture
def files(onnx_file: Path, tflite_file: Path, checkpoint: Path) -> dict[str, Path]:
    return {path.suffix: path for path in (onnx_file, tflite_file, checkpoint)}


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_logits_are_those_of_the_graph(files, onnx_file, pixels, suffix: str):
    spec = Preprocessing(32, (100.0, 110.0, 120.0), (50.0, 60.0, 70.0))
    model = ir.load(onnx_file)
    wanted = [evaluate(model, normalize(image, spec).transpose(2, 0, 1)[np.newaxis])[0] for image in pixels]
    got = formats.load(files[suffix], spec)(pixels)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_checkpoint_gives_the_networks_logits_in_batches(checkpoint: Path, pixels: np.ndarray):
    import torch

    spec = Preprocessing(32)
    image = torch.from_numpy(normalize(pixels, spec).transpose(0, 3, 1, 2).copy())
    with torch.inference_mode():
        wanted = load_model(checkpoint)[0](image).numpy()
    for batch in (2, 32):
        predict = pytorch.load(checkpoint, spec, batch=batch, device="cpu")
        np.testing.assert_allclose(predict(pixels), wanted, atol=1e-5)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_runtimes_say_what_they_are(files, pixels, suffix: str):
    path = files[suffix]
    predict = formats.load(Artifact(path, "", "onnx", "float32"), Preprocessing(32), threads=2, device="cpu")
    assert (predict.threads, predict.device, predict.spec.size) == (2, "cpu", 32)
    assert predict.version.startswith(formats.of(path).engine().versions()[predict.runtime])
    assert formats.of(path).engine().available() is None
    once = predict.prepared(pixels[0])
    np.testing.assert_allclose(once(), predict(pixels[:1]), atol=1e-6)
    np.testing.assert_array_equal(once(), once())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_heat_maps_says_how_to_get_them(files, pixels, suffix: str):
    with pytest.raises(InputError, match="--heat-map"):
        formats.load(files[suffix], device="cpu").heat_map(pixels)


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_heat_maps_lie_as_the_image_does(tmp_path: Path, suffix: str):
    b = Builder((1, 3, 32, 32))
    features = b.op("Relu", b.op("Conv", b.image, b.const(np.ones((1, 3, 4, 4)) / 48), strides=[4, 4]))
    x = b.op("Flatten", b.op("GlobalAveragePool", features), axis=1)
    rows = b.const([[-1.0], [1.0]])
    model = b.done(b.op("Gemm", x, rows, b.const([0.0, 0.0]), transB=1))
    heat_map.append(model, 1)
    path = tmp_path / f"corner{suffix}"
    ir.save(model, path) if suffix == ".onnx" else emit(model, path, name="corner")
    pixels = np.full((2, 32, 32, 3), 128, np.uint8)
    pixels[0, 4:8, 24:28] = 255  # second row, seventh column of the map
    predict = formats.load(path)
    found = predict.heat_map(pixels)
    assert found.shape == (2, 8, 8)
    assert found[0, 1, 6] == pytest.approx(2 * 127 / 128, abs=1e-5)
    assert np.count_nonzero(np.abs(found) > 1e-5) == 1
    assert np.ptp(predict(pixels), axis=1) == pytest.approx(found.mean(axis=(1, 2)), abs=1e-5)


def test_a_second_output_of_another_kind_is_refused(tmp_path: Path):
    b = Builder((1, 3, 8, 8))
    features = b.op("Relu", b.conv(b.image, 4, 3))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", features)), 2))
    model.graph.outputs.append(features)
    ir.save(model, tmp_path / "two.onnx")
    with pytest.raises(InputError, match=r"and perhaps float32 heat_map \[1, 1, h, w\] behind them"):
        formats.load(tmp_path / "two.onnx")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_networks_of_one_file_do_not_share_inputs(files, pixels, suffix: str):
    first, second = (formats.load(files[suffix], device="cpu") for _ in range(2))
    one, other = first.prepared(pixels[0]), second.prepared(pixels[1])
    before = one()
    other()
    np.testing.assert_array_equal(one(), before)
    assert not np.allclose(other(), before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_size_comes_from_the_file_or_must_agree(files, pixels, suffix: str):
    assert formats.load(files[suffix], device="cpu").spec == Preprocessing(32)
    with pytest.raises(InputError, match=r"32.* 20"):
        formats.load(files[suffix], Preprocessing(20))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.98])
def test_a_damaged_file_is_refused_in_one_line(files, tmp_path: Path, suffix: str, keep: float):
    data = files[suffix].read_bytes()
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    with pytest.raises(InputError, match=str(broken)) as caught:
        formats.load(broken)
    assert "\n" not in str(caught.value)


def test_what_has_no_runtime_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"no runtime for \.pb; known are \.onnx, \.safetensors, \.tflite"):
        formats.load(tmp_path / "model.pb")
    with pytest.raises(InputError, match="does not exist"):
        formats.load(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((2, 32, 32, 3), np.float32), r"float32 \[2, 32, 32, 3\]"),
        (np.zeros((2, 3, 32, 32), np.uint8), r"uint8 \[2, 3, 32, 32\]"),
        (np.zeros((32, 32, 3), np.uint8), r"uint8 \[32, 32, 3\]"),
        (np.zeros((0, 32, 32, 3), np.uint8), r"uint8 \[0, 32, 32, 3\]"),
    ],
)
def test_what_is_not_images_is_refused(onnx_file: Path, pixels: np.ndarray, found: str):
    with pytest.raises(InputError, match=rf"uint8 pixels of shape \[N, 32, 32, 3\], N at least 1: got {found}"):
        formats.load(onnx_file)(pixels)


def flat(inputs: int, classes: int, kind: ir.DataType = ir.DataType.FLOAT) -> ir.Model:
    b = Builder((1, inputs, 8, 8))
    b.image.type = ir.TensorType(kind)
    x = b.image if kind == ir.DataType.FLOAT else b.op("Cast", b.image, to=int(ir.DataType.FLOAT))
    return b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), classes))


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (flat(1, 2), r"takes float32 image \[1, 1, 8, 8\]"),
        (flat(3, 1), r"gives float32 logits \[1, 1\]"),
        (flat(3, 2, ir.DataType.DOUBLE), r"takes tensor\(double\) image"),
    ],
)
def test_a_graph_outside_the_contract_is_refused(tmp_path: Path, model: ir.Model, found: str):
    ir.save(model, tmp_path / "other.onnx")
    with pytest.raises(InputError, match=found + r".*accepted is float32 \[1, 3, 8, 8\]"):
        formats.load(tmp_path / "other.onnx")


def test_an_open_batch_is_accepted(tmp_path: Path, onnx_file: Path, pixels: np.ndarray):
    model = ir.load(onnx_file)
    for value in (model.graph.inputs[0], model.graph.outputs[0]):
        value.shape = ir.Shape(["batch", *value.shape[1:]])
    ir.save(model, tmp_path / "open.onnx")
    np.testing.assert_array_equal(formats.load(tmp_path / "open.onnx")(pixels), formats.load(onnx_file)(pixels))


def test_a_missing_runtime_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, files):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for suffix, package in {".onnx": "onnxruntime", ".tflite": "ai-edge-litert", ".safetensors": "torch"}.items():
        with pytest.raises(InputError, match=f"pip install {package}"):
            formats.load(files[suffix])
