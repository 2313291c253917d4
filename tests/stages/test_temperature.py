"""The calibrated reference: graph and predictions divided by one temperature, or left alone with the reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder
from small_network import IMAGES, SPEC, mobile

from melanoma_edge import formats
from melanoma_edge.artifact import Stage, run_stage, write_json
from melanoma_edge.export.temperature import fold
from melanoma_edge.stages import predict, temperature
from melanoma_edge.stages.export import MODEL
from melanoma_edge.verify import temperature_scaling
from melanoma_edge.verify.document import PredictionFacts
from melanoma_edge.verify.predictions import Predictions, write_csv

CODE = "melanoma_edge.artifact"  # any module: what a test makes is not made by it


def answered_by(path: Path, labels: np.ndarray) -> Predictions:
    n = len(IMAGES)
    splits = tuple("val" if i < n * 2 // 3 else "test" for i in range(n))
    logits = formats.load(path, SPEC)(IMAGES)
    return Predictions(tuple(f"im{i}" for i in range(n)), splits, labels, logits, 1, ("other", "melanoma"))


def stages(work: Path, model: ir.Model, labels: np.ndarray) -> tuple[Stage, Stage]:
    exported = run_stage(work / "export", lambda f: ir.save(model, f / MODEL), inputs={}, code=CODE, options={})
    predictions = answered_by(exported.folder / MODEL, labels)

    def make(folder: Path) -> None:
        write_csv(folder / predict.CSV, predictions)
        write_json(folder / predict.FACTS, PredictionFacts(runtime="onnxruntime", device="cpu", threads=1))

    return exported, run_stage(work / "reference", make, inputs={}, code=CODE, options={})


def labels(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, len(IMAGES))


def noisy(work: Path) -> np.ndarray:
    """Labels as the network answers, but for a few: then there is a best temperature."""
    ir.save(mobile(), work / "m.onnx")
    found = formats.load(work / "m.onnx", SPEC)(IMAGES)
    right = (found[:, 1] - found[:, 0] > np.median(found[:, 1] - found[:, 0])).astype(np.int64)
    right[::6] = 1 - right[::6]
    return right


def test_who_answered_is_told_anew_when_another_gives_the_same_answers(tmp_path: Path) -> None:
    exported, answered = stages(tmp_path, mobile(), noisy(tmp_path))
    first = temperature.run(tmp_path, exported, answered, "fit")
    assert temperature.run(tmp_path, exported, answered, "fit").reused

    def make(folder: Path) -> None:
        write_csv(folder / predict.CSV, predict.predictions(answered))
        write_json(folder / predict.FACTS, replace(predict.facts(answered), runtime="another"))

    other = run_stage(tmp_path / "other", make, inputs={}, code=CODE, options={})
    again = temperature.run(tmp_path, exported, other, "fit")
    assert predict.facts(again)["runtime"] == "another"
    assert again.sha256(MODEL) == first.sha256(MODEL), "what follows is not made again"


def test_graph_and_predictions_are_divided_by_the_same_number(tmp_path: Path) -> None:
    exported, answered = stages(tmp_path, mobile(), noisy(tmp_path))
    stage = temperature.run(tmp_path, exported, answered, "fit")
    told = temperature.temperature(stage)
    before, after = predict.predictions(answered), predict.predictions(stage)
    wanted = temperature_scaling.temperature(before.only("val").logits, before.only("val").labels)
    assert told["value"] == wanted != 1 and told["why"] is None and told["shifts"] == (0, 0)
    np.testing.assert_allclose(formats.load(stage.folder / MODEL, SPEC)(IMAGES), after.logits, rtol=0, atol=1e-5)
    np.testing.assert_allclose(after.logits, before.logits.astype(np.float64) / wanted, rtol=1e-6)
    assert told["uncalibrated_predictions"] == answered.sha256(predict.CSV)
    assert predict.facts(stage)["runtime"] == "onnxruntime"


def test_graph_and_predictions_get_the_same_shifts(tmp_path: Path) -> None:
    model = mobile()
    assert fold(model, 0.02, (0.0, 0.0))  # its own logits hardly differ between images
    exported, answered = stages(tmp_path, model, noisy(tmp_path))
    stage = temperature.run(tmp_path, exported, answered, "shift")
    told, after = temperature.temperature(stage), predict.predictions(stage)
    assert told["why"] is None and told["shifts"][0] == -told["shifts"][1] != 0
    np.testing.assert_allclose(formats.load(stage.folder / MODEL, SPEC)(IMAGES), after.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "only", "why"),
    [("none", None, "not asked for"), ("fit", 0, "no best temperature"), ("shift", 0, "no best temperature")],
)
def test_without_a_temperature_nothing_changes(tmp_path: Path, wanted: str, only: int | None, why: str) -> None:
    given = labels() if only is None else np.full(len(IMAGES), only)
    exported, answered = stages(tmp_path, mobile(), given)
    stage = temperature.run(tmp_path, exported, answered, wanted)
    assert temperature.temperature(stage)["value"] == 1 and why in temperature.temperature(stage)["why"]
    for file in (MODEL, predict.CSV):
        assert stage.sha256(file) == (exported if file == MODEL else answered).sha256(file)


@pytest.mark.parametrize("wanted", ["fit", "shift"])
def test_a_calibrated_network_keeps_its_bits(tmp_path: Path, wanted: str) -> None:
    model = mobile()
    assert fold(model, 0.02, (0.0, 0.0))
    right = noisy(tmp_path)
    exported, answered = stages(tmp_path / "first", model, right)
    first = temperature.run(tmp_path / "first", exported, answered, "shift")
    exported, answered = stages(tmp_path / "again", ir.load(first.folder / MODEL), right)
    again = temperature.run(tmp_path / "again", exported, answered, wanted)
    assert temperature.temperature(again)["why"] == temperature.DONE
    assert again.sha256(MODEL) == exported.sha256(MODEL)


def test_a_network_whose_last_layer_cannot_be_changed_says_so(tmp_path: Path) -> None:
    b = Builder((1, 3, SPEC.size, SPEC.size))
    model = b.done(b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 2, 3)))))
    ir.save(model, tmp_path / "m.onnx")
    found = formats.load(tmp_path / "m.onnx", SPEC)(IMAGES)
    right = (found[:, 1] - found[:, 0] > 0).astype(np.int64)
    right[::5] = 1 - right[::5]
    exported, answered = stages(tmp_path, model, right)
    stage = temperature.run(tmp_path, exported, answered, "fit")
    assert temperature.temperature(stage)["value"] == 1
    assert temperature.temperature(stage)["why"] == temperature.NO_LAYER
    assert stage.sha256(MODEL) == exported.sha256(MODEL)
