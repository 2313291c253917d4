"""TFLite Metadata: read back by a reader of its own and by Google's, with outputs that stay as they are to the bit."""

import io
import json
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffer_reader import Reader, held
from onnx_graphs import Builder
from tflite_file import operators, partitions, run

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import heat_map, passes
from melanoma_edge.export.emit import to_bytes
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax
from melanoma_edge.tflite.metadata import About

SIZE = 48
ABOUT = About((128.0, 127.0, 126.0), (128.0, 64.0, 32.0), ("other", "melanoma"), 1, "CC BY-NC 4.0")
ROOT = Path(__file__).resolve().parents[3]
TFLITE_SUPPORT = """
import json, sys
import numpy as np
from tflite_support import metadata
from tflite_support.task import vision
shown = metadata.MetadataDisplayer.with_model_file(sys.argv[1])
classifier = vision.ImageClassifier.create_from_file(sys.argv[1])
found = classifier.classify(vision.TensorImage.create_from_array(np.load(sys.argv[2])))
told = json.loads(shown.get_metadata_json())
labels = shown.get_associated_file_buffer(shown.get_packed_associated_file_list()[0]).decode().split()
scores = {c.category_name: c.score for c in found.classifications[0].categories}
print(json.dumps({"told": told, "labels": labels, "scores": scores}))
"""
MEDIAPIPE = """
import json, sys
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]))
image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.load(sys.argv[2]))
with vision.ImageClassifier.create_from_options(options) as classifier:
    found = classifier.classify(image).classifications[0].categories
print(json.dumps({"scores": {c.category_name: c.score for c in found}}))
"""


def network() -> ir.Model:
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Relu", b.conv(b.op("Relu", b.conv(b.image, 6, 3, strides=[2, 2])), 8, 3))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    passes.apply(model, "clean")
    return model


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def integer(pixels: np.ndarray) -> ir.Model:
    return quantize(network(), pixels, Preprocessing(SIZE), minmax.RECIPE)[0]


@pytest.fixture(params=["float32", "int8"])
def model(request: pytest.FixtureRequest) -> ir.Model:
    return network() if request.param == "float32" else request.getfixturevalue("integer").clone()


def test_the_metadata_say_how_the_image_is_normalised_and_what_the_logits_are(model: ir.Model) -> None:
    found = held(to_bytes(model, name="mole", about=ABOUT))
    assert found[4:8] == b"M001"
    read = Reader(found)
    assert read.text(read.root, 0) == "mole" and "Never a diagnosis" in read.text(read.root, 1)
    assert read.text(read.root, 5) == "Weights: CC BY-NC 4.0" and read.text(read.root, 7) == "1.0.0"
    (graph,) = read.tables(read.root, 3)
    (image,), (logits,) = read.tables(graph, 2), read.tables(graph, 3)
    assert read.text(image, 0) == "image" and "48 x 48 RGB" in read.text(image, 1)
    content = read.table(image, 3)
    assert read.byte(content, 0) == 2 and read.byte(read.table(content, 1), 0) == 1  # an image, in RGB
    (unit,) = read.tables(image, 4)
    assert read.byte(unit, 0) == 1  # a normalisation
    assert read.floats(read.table(unit, 1), 0) == [128, 127, 126]
    assert read.floats(read.table(unit, 1), 1) == [128, 64, 32]
    stats = read.table(image, 5)
    assert read.floats(stats, 0) == [127 / 128, 2, 129 / 32] and read.floats(stats, 1) == [-1, -127 / 64, -126 / 32]
    assert read.text(logits, 0) == "logits" and "softmax" in read.text(logits, 1)
    assert read.byte(read.table(logits, 3), 0) == 1  # numbers
    (labels,) = read.tables(logits, 6)
    assert read.text(labels, 0) == "labels.txt" and read.byte(labels, 2) == 2  # of the tensor's axis


def test_a_heat_map_is_described_as_the_second_output(model: ir.Model) -> None:
    heat_map.append(model, 1)
    data = to_bytes(model, name="mole", about=ABOUT)
    read = Reader(held(data))
    outputs = read.tables(read.tables(read.root, 3)[0], 3)
    names = [read.text(output, 0) for output in outputs]
    subgraph = schema.Model.GetRootAs(data).Subgraphs(0)
    assert names == ["logits", "heat_map"]
    assert names == [subgraph.Tensors(subgraph.Outputs(i)).Name().decode() for i in range(subgraph.OutputsLength())]
    assert "for melanoma (above 0)" in read.text(outputs[1], 1) and read.field(outputs[1], 6) is None


def test_the_labels_lie_in_a_zip_archive_behind_the_model(model: ir.Model) -> None:
    classes = ("akiec", "bcc", "mel")
    data = to_bytes(model, name="mole", about=replace(ABOUT, classes=classes, melanoma=2))
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None and packed.namelist() == ["labels.txt"]
        assert packed.read("labels.txt") == b"akiec\nbcc\nmel\n"
        (entry,) = packed.infolist()
        assert entry.compress_type == zipfile.ZIP_STORED and data.index(b"PK\3\4", entry.header_offset) > 4


def test_they_change_nothing_that_the_file_computes(model: ir.Model, pixels: np.ndarray) -> None:
    plain, told = to_bytes(model.clone(), name="mole"), to_bytes(model.clone(), name="mole", about=ABOUT)
    assert told == to_bytes(model.clone(), name="mole", about=ABOUT)
    assert 0 < len(told) - len(plain) < 1500
    assert operators(told) == operators(plain) and partitions(told) == partitions(plain) and partitions(told)[0] == 1
    for delegate in (True, False):
        for image in normalize(pixels, Preprocessing(SIZE)).transpose(0, 3, 1, 2):
            found, wanted = (run(data, image[np.newaxis].copy(), delegate=delegate) for data in (told, plain))
            np.testing.assert_array_equal(found, wanted)


def test_tensorflow_reads_the_file_too(model: ir.Model, pixels: np.ndarray) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="pip install 'melanoma-edge[tensorflow]'")
    data, image = to_bytes(model, name="mole", about=ABOUT), normalize(pixels[:1], Preprocessing(SIZE))
    interpreter = tensorflow.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    logits = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(logits, run(data, image.transpose(0, 3, 1, 2).copy()), atol=1e-4)


@pytest.mark.parametrize(("reader", "script"), [("tflite-support", TFLITE_SUPPORT), ("mediapipe", MEDIAPIPE)])
def test_googles_readers_normalise_and_name_as_told(
    model: ir.Model, pixels: np.ndarray, reader: str, script: str, tmp_path: Path
) -> None:
    python = ROOT / ".venv-readers" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"{reader} is not installed: `make test-metadata` gives it an environment of its own")
    about = replace(ABOUT, mean=(127.0,) * 3, std=(64.0,) * 3)  # MediaPipe wants the channels alike
    data = to_bytes(model, name="mole", about=about)
    (tmp_path / "mole.tflite").write_bytes(data)
    np.save(tmp_path / "image.npy", pixels[0])
    command = [python, "-c", script, tmp_path / "mole.tflite", tmp_path / "image.npy"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    image = normalize(pixels[:1], Preprocessing(SIZE, about.mean, about.std))
    wanted = dict(zip(ABOUT.classes, run(data, image.transpose(0, 3, 1, 2).copy())[0], strict=True))
    for label, score in found["scores"].items():  # the Task Library leaves out what is below 0
        assert score == pytest.approx(wanted[label], abs=1e-4)
    assert set(found["scores"]) >= {label for label, logit in wanted.items() if logit > 0}
    if reader == "tflite-support":
        assert found["labels"] == list(ABOUT.classes)
        assert found["told"]["subgraph_metadata"][0]["output_tensor_metadata"][0]["name"] == "logits"
