"""The quantize stage: the chosen attempt's graph, what was tried, and what it is made anew for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from onnx_graphs import op_types
from scipy.special import softmax
from small_images import SIZE, darkness, lesions, prepared
from small_network import run_ort

from melanoma_edge.artifact import Stage, run_stage
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.options import CompileOptions, Gates, QuantizeOptions
from melanoma_edge.progress import silent
from melanoma_edge.stages import predict, quantize
from melanoma_edge.stages.export import MODEL

CODE = "melanoma_edge.artifact"  # any module: what a test makes is not made by it
STATIC = CompileOptions(QuantizeOptions("static"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quantize")


@pytest.fixture(scope="module")
def images(work: Path) -> Images:
    return prepared(work, lesions(work / "lesions", 40), calibration_images=30)


@pytest.fixture(scope="module")
def exported(work: Path) -> Stage:
    return run_stage(work / "export", lambda f: ir.save(darkness(), f / MODEL), inputs={}, code=CODE, options={})


@pytest.fixture(scope="module")
def reference(work: Path, images: Images, exported: Stage) -> Stage:
    return predict.run(
        work, "reference", exported.folder / MODEL, exported.sha256(MODEL), images, Preprocessing(SIZE), silent
    )


def test_the_graph_is_the_chosen_attempts_and_answers_as_the_float_one(
    work: Path, images: Images, exported: Stage, reference: Stage
) -> None:
    stage = quantize.run(work, exported, images, reference, STATIC, silent)
    model, found = ir.load(stage.folder / MODEL), quantize.facts(stage)
    assert op_types(model).count("QuantizeLinear") == 2 and found.integer_nodes
    pixels = np.asarray(images.pixels("test"))
    p, exact = (
        softmax(run_ort(graph, pixels, ort.GraphOptimizationLevel.ORT_DISABLE_ALL), axis=1)[:, 1]
        for graph in (model, ir.load(exported.folder / MODEL))
    )
    assert np.abs(p - exact).max() < 0.02 and np.ptp(exact) > 0.5
    assert found.images == 30 and set(found.integer_nodes).isdisjoint(found.float_nodes)
    assert found.quantizer.wanted == found.quantizer.chosen == found.recipe.name == "static"
    (trial,) = found.quantizer.tried
    assert trial.recipe == "static" and trial.float_nodes == len(found.float_nodes)
    assert quantize.is_exact(stage) == (not found.inexact_nodes)


def test_the_same_again_is_reused_and_anything_else_is_made_anew(
    work: Path, images: Images, exported: Stage, reference: Stage, tmp_path: Path
) -> None:
    quantize.run(tmp_path, exported, images, reference, STATIC, silent)

    def reused(options: CompileOptions, images: Images = images) -> bool:
        return quantize.run(tmp_path, exported, images, reference, options, silent).reused

    assert reused(STATIC)
    assert not reused(CompileOptions(QuantizeOptions("minmax")))
    assert not reused(replace(STATIC, gates=Gates(max_flip_rate=0.5)))
    assert not reused(replace(STATIC, proof=replace(STATIC.proof, operating_point="youden")))
    few = prepared(tmp_path, work / "lesions", calibration_images=9)
    assert not reused(STATIC, few), "other images calibrate"
    assert reused(STATIC, few)


def test_an_unknown_quantizer_leaves_nothing(images: Images, exported: Stage, reference: Stage, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="magic"):
        quantize.run(tmp_path, exported, images, reference, CompileOptions(QuantizeOptions("magic")), silent)
    assert not any(tmp_path.iterdir())
