"""The Python API: light to import, public names that exist, any classifier, errors that say what would be accepted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import nn

import melanoma_edge as me
from melanoma_edge import formats

SHAPE = (1, 20, 28)  # no lesion: one channel, not square
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 20, 28, 1), np.uint8)
READY = (PIXELS.transpose(0, 3, 1, 2).astype(np.float32) - 30) / 77


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """Ten classes of grey images, normalised by 30 and 77, the border padded."""
    torch.manual_seed(0)
    features = [nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU()]
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)).eval()


def logits(network: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(images)).numpy()


def answers(path: Path, images: np.ndarray) -> np.ndarray:
    """Of an .onnx or .tflite file for float32 `[N, C, H, W]`."""
    if path.suffix == ".onnx":
        session = ort.InferenceSession(path)
        return np.concatenate([session.run(None, {"image": image[None]})[0] for image in images])
    from melanoma_edge.runtime.litert import allocate

    interpreter, rows = allocate(path), []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image.transpose(1, 2, 0)[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(rows)


def test_import_is_light() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import melanoma_edge as me; me.InputError, me.Normalization;"
        "print(time.perf_counter() - start, 'torch' in sys.modules, 'onnxruntime' in sys.modules)"
    )
    best = min(_seconds(code) for _ in range(3))
    assert best < 0.5  # 0.1 is the goal on an idle machine; numpy and Pillow, for Normalization, are most of it


def _seconds(code: str) -> float:
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told[1:] == ["False", "False"]
    return float(told[0])


def test_importing_alone_takes_no_time() -> None:
    code = "import time; start = time.perf_counter(); import melanoma_edge; print(time.perf_counter() - start)"
    told = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(told) < 0.1


def test_public_names_exist() -> None:
    for name in me.__all__:
        assert getattr(me, name).__doc__, name
    assert set(me.__all__) <= set(dir(me))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        me.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("calibration", "normalization"),
    [(READY, None), (PIXELS, me.Normalization(mean=30, std=77))],
    ids=["as the network takes it", "pixels"],
)
def test_both_files_of_one_quantisation_compute_the_same(network, tmp_path, calibration, normalization) -> None:
    graph = me.quantize(network, calibration, normalization=normalization)
    taken = READY if normalization is None else (PIXELS.transpose(0, 3, 1, 2).astype(np.float32) - 128) / 128
    onnx, tflite = (answers(graph.save(tmp_path / f"net{suffix}"), taken) for suffix in (".onnx", ".tflite"))
    assert (onnx == tflite).all()
    exact = logits(network, READY)
    assert 0 < np.abs(onnx - exact).max() < 0.05 * np.abs(exact).max()
    assert graph.report.integer_nodes


def test_pixels_without_a_normalization_are_what_the_network_takes(network, tmp_path) -> None:
    graph = me.quantize(network, PIXELS)
    taken = PIXELS.transpose(0, 3, 1, 2).astype(np.float32)
    exact = logits(network, taken)
    assert np.abs(answers(graph.save(tmp_path / "net.onnx"), taken) - exact).max() < 0.05 * np.abs(exact).max()


def test_float_tflite_equals_the_network(network, tmp_path) -> None:
    path = me.to_tflite(network, tmp_path / "net.tflite", normalization=me.Normalization(30, 77), image=SHAPE)
    taken = (PIXELS.transpose(0, 3, 1, 2).astype(np.float32) - 128) / 128
    np.testing.assert_allclose(answers(path, taken), logits(network, READY), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda n, f: me.quantize(n, PIXELS[0]), r"calibration is uint8 \[20, 28, 1\]: uint8 \[N,H,W,C\]"),
        (lambda n, f: me.quantize(f / "no.onnx", PIXELS), "is not a file: name an ONNX file"),
        (lambda n, f: me.quantize(n, PIXELS, recipe="best"), "unknown quantizer 'best': known are"),
        (lambda n, f: me.quantize(n, PIXELS.repeat(3, 3)), r"cannot be exported for float32 \[1, 3, 20, 28\]"),
        (lambda n, f: me.quantize(n, READY, normalization=me.Normalization()), "uint8 pixels"),
        (lambda n, f: me.quantize(n, PIXELS, normalization=me.Normalization((1, 2, 3))), "or 1, one a channel"),
        (lambda n, f: me.Normalization(std=0), "std above 0"),
        (lambda n, f: me.to_tflite(n, f / "net.onnx"), "ends in .tflite"),
        (lambda n, f: me.to_tflite(n, f / "net.tflite"), "image is missing"),
        (lambda n, f: me.compile(n, data="synthetic", output=f / "b"), "image_size is missing"),
        (lambda n, f: me.open(f), "holds no bundle"),
    ],
)
def test_errors_say_what_would_be_accepted(network, tmp_path, call, told) -> None:
    with pytest.raises(me.InputError, match=told):
        call(network, tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_suffixes_are_refused(network, tmp_path) -> None:
    graph = me.quantize(network, PIXELS, recipe="minmax")
    with pytest.raises(me.InputError, match=r"written are \.onnx and \.tflite"):
        graph.save(tmp_path / "net.txt")
    assert [form.suffix for form in formats.written()] == [".onnx", ".tflite"] and not list(tmp_path.iterdir())


def test_pads_as_the_older_exporter_writes_them(tmp_path) -> None:
    padded = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 4, 3, 2), nn.Flatten(), nn.LazyLinear(2)).eval()
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 1)).astype(np.float32).transpose(0, 3, 1, 2) / 255
    expected = logits(padded, images)
    torch.onnx.export(padded, torch.from_numpy(images[:1]), tmp_path / "net.onnx", dynamo=False, opset_version=17)
    path = me.to_tflite(tmp_path / "net.onnx", tmp_path / "net.tflite")
    np.testing.assert_allclose(answers(path, images), expected, atol=1e-5)


def test_a_mean_of_thirty_pixels_is_not_called_exact(tmp_path) -> None:
    layers = [nn.Conv2d(1, 8, 3, 1, 1), nn.Hardtanh(-float("inf"), float("inf")), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8, 3)).eval()
    wide, square = (me.quantize(network, PIXELS[:, : sides[0], : sides[1]]).report for sides in ((5, 6), (6, 6)))
    assert wide.inexact_nodes and not square.inexact_nodes
