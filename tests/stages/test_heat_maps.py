"""Heat maps of files beside the float network's: the same ones, the opposite ones, and a network that has none."""

import io
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder
from PIL import Image

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, run_stage
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.report.looks import PHOTOGRAPH, REFERENCE
from melanoma_edge.stages import data as data_stage
from melanoma_edge.stages import emit, heat_maps
from melanoma_edge.stages.emit import Graph
from melanoma_edge.stages.export import MODEL
from melanoma_edge.tflite.metadata import About
from melanoma_edge.verify.predictions import Predictions, predict_split, softmax

CODE = "melanoma_edge.artifact"  # any module: what a test makes is not made by it


SIZE = 48
ABOUT = About((128.0,) * 3, (128.0,) * 3, ("other", "melanoma"), 1, "none")


def network(sign: float, layers: int = 1) -> ir.Model:
    """Features, their mean over the image, and logits that `sign` turns round; the same each time but for that."""
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 6, 3, strides=[8, 8]))), axis=1)
    for _ in range(layers - 1):
        x = b.op("Relu", b.linear(x, 6))
    weights = sign * np.random.default_rng(1).normal(size=(2, 6))
    return b.done(b.op("Gemm", x, b.const(weights), b.const([0.0, 0.0]), transB=1))


def graph(work: Path, name: str, model: ir.Model) -> Graph:
    return Graph(
        run_stage(
            work / name,
            lambda folder: ir.save(model, folder / MODEL),
            inputs={},
            code=CODE,
            options={},
        ),
        MODEL,
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    work = tmp_path_factory.mktemp("data")
    return data_stage.prepare(work, DataOptions("synthetic:120"), size=SIZE, train=False, progress=silent)


def answers(path: Path, images: Images) -> Predictions:
    return predict_split(
        formats.load(path, Preprocessing(SIZE)),
        images.pixels("test"),
        ids=[sample.id for sample in images.samples("test")],
        labels=images.labels("test"),
        split="test",
        task=images.task,
    )


@pytest.fixture(scope="module")
def built(images: Images, tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, tuple[Artifact, ...]]:
    """The float graph, its own ONNX file, and "int8", the same network with all signs turned round."""
    work = tmp_path_factory.mktemp("files")
    graphs = {"float32": graph(work, "float", network(1)), "int8": graph(work, "other", network(-1))}
    wanted = [(formats.named("onnx"), "float32"), (formats.named("onnx"), "int8")]
    return graphs["float32"], emit.artifacts(work, "n", graphs, wanted, "int8", ABOUT, heat_map=True)


def compared(images: Images, exact: Graph, files: tuple[Artifact, ...], threshold: float) -> heat_maps.HeatMaps:
    found, truth = [answers(a.path, images) for a in files], answers(exact.path, images)
    return heat_maps.compare(exact, files, found, truth, threshold, images, silent)


def test_a_file_that_sees_the_same_correlates_by_1_and_one_that_sees_the_opposite_by_less(images, built) -> None:
    exact, files = built
    truth = answers(exact.path, images)
    threshold = float(np.median(truth.p))
    found = compared(images, exact, files, threshold)
    document = found.document
    assert document is not None
    assert document["shape"] == (6, 6) and document["images"] == len(truth) and document["drawn"] == "n_int8.onnx"
    same, opposite = document["agreement"]
    assert (same["artifact"], same["median"], same["lowest"]) == ("n_float32.onnx", pytest.approx(1), pytest.approx(1))
    assert (opposite["median"], opposite["lowest"]) == (pytest.approx(-1), pytest.approx(-1))
    other = dict(zip(truth.ids, softmax(answers(files[1].path, images).logits)[:, 1], strict=True))
    own, names = dict(zip(truth.ids, truth.p, strict=True)), {s.id: s.diagnosis for s in images.samples("test")}
    for case in document["cases"]:
        image = case["image_id"]
        assert case["p_reference"] == own[image] and case["p_artifact"] == other[image]
        assert case["correlation"] == pytest.approx(-1) and case["diagnosis"] == names[image]
        assert case["outcome"].endswith("positive" if own[image] >= threshold else "negative")
        assert case["outcome"].startswith("true") == ((case["label"] == "melanoma") == (own[image] >= threshold))


def test_each_case_has_its_photograph_and_both_maps(images, built) -> None:
    found = compared(images, *built, threshold=0.5)
    assert found.document is not None and found.document["cases"]
    shown = {case["image_id"] for case in found.document["cases"]}
    assert set(found.pictures) == {(i, name) for i in shown for name in (PHOTOGRAPH, REFERENCE, "n_int8.onnx")}
    pixels = dict(zip([s.id for s in images.samples("test")], images.pixels("test"), strict=True))
    for image in shown:
        decoded = np.asarray(Image.open(io.BytesIO(found.pictures[image, PHOTOGRAPH])), np.float64)
        assert np.abs(decoded - pixels[image]).mean() < 10  # a JPEG of that very image
        assert found.pictures[image, REFERENCE] != found.pictures[image, "n_int8.onnx"]


def test_without_a_compressed_file_the_reference_is_drawn_alone(images, built) -> None:
    exact, files = built
    found = compared(images, exact, files[:1], 0.5)
    assert found.document is not None and found.document["drawn"] is None
    assert all(case["p_artifact"] is None and case["correlation"] is None for case in found.document["cases"])
    assert {name for _, name in found.pictures} == {PHOTOGRAPH, REFERENCE}
