"""One attempt on the validation split: what is counted there, the headroom that it must keep, and what is timed."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx_ir as ir
import pytest
from small_images import SIZE, darkness, lesions, prepared

from melanoma_edge import formats
from melanoma_edge.artifact import sha256_file
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export.temperature import fold
from melanoma_edge.formats import write
from melanoma_edge.options import Gates
from melanoma_edge.progress import silent
from melanoma_edge.quantization.quantizers import Attempt, Subject, attempt
from melanoma_edge.quantization.quantizers.static import RECIPE
from melanoma_edge.runtime.predict import Predict
from melanoma_edge.selection import trial
from melanoma_edge.selection.trial import FLOAT, HEADROOM, Bench, measure
from melanoma_edge.stages import predict
from melanoma_edge.verify import operating_point
from melanoma_edge.verify.nearby import nearby
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions

RULE = "sensitivity=0.90"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    work = tmp_path_factory.mktemp("images")
    return prepared(work, lesions(work / "lesions", 60), calibration_images=30)


@pytest.fixture(scope="module")
def made(images: Images) -> Attempt:
    return attempt(Subject(darkness(), images.pixels("calibration"), Preprocessing(SIZE)), RECIPE, silent)


def answers(folder: Path, model: ir.Model, images: Images) -> Predictions:
    """Of a graph's own TFLite file."""
    path = folder / "m.tflite"
    write(model, path)
    return predict.predictions(
        predict.run(folder, "m", path, sha256_file(path), images, Preprocessing(SIZE), silent)
    ).only("val")


@pytest.fixture
def bench(images: Images, tmp_path: Path) -> Bench:
    truth = answers(tmp_path / "truth", darkness(), images)
    made = Bench(tmp_path / "bench", darkness(), images, truth, RULE, Gates())
    made.folder.mkdir()
    made.write(darkness(), FLOAT)
    return made


def test_what_is_counted_is_the_files_own_on_validation(bench: Bench, made: Attempt, tmp_path: Path) -> None:
    told = []
    found = measure(bench, made, 1.234, lambda *progress: told.append(progress[0]))
    own = answers(tmp_path / "own", made.model, bench.images)
    point = operating_point.choose(RULE, bench.truth)
    parity, around = compare(bench.truth, own, point), nearby(bench.truth, own, point)
    assert (found.recipe, found.seconds, found.float_nodes) == ("static", 1.23, len(made.report.float_nodes))
    assert found.flips == parity.flips and found.mean_abs_dp == pytest.approx(parity.mean_abs_dp, abs=1e-6) != 0
    assert found.flip_rate == pytest.approx(around.flip_rate, abs=1e-6)
    assert found.sensitivity_drop == pytest.approx(around.sensitivity_drop, abs=1e-6)
    assert found.auc_delta == pytest.approx(parity.auc_delta, abs=1e-6)
    assert found.latency_ratio > 0 and found.onnx_latency_ratio > 0
    assert set(told) == {"static: predicting val"}
    assert {path.name for path in bench.folder.iterdir()} >= {"static.tflite", "static.onnx"}


def shifted(made: Attempt, by: float) -> Attempt:
    """An attempt that answers as the float network does, but for melanoma's logit."""
    other = darkness()
    assert fold(other, 1.0, (0.0, by))
    return replace(made, model=other)


@pytest.mark.parametrize(("share", "holds"), [(0.99, False), (1.01, True)])
def test_of_the_flip_gate_headroom_is_kept(share: float, holds: bool, bench: Bench, made: Attempt) -> None:
    more = shifted(made, 0.25)
    rate = measure(replace(bench, gates=Gates(1, 1, 1)), more, 0, silent).flip_rate
    assert rate is not None and rate > 0.01
    limits = Gates(max_auc_drop=1, max_flip_rate=rate / HEADROOM * share, max_sensitivity_drop=1)
    assert measure(replace(bench, gates=limits), more, 0, silent).holds == holds


def test_a_lost_sensitivity_does_not_hold_and_bytes_are_not_judged(bench: Bench, made: Attempt) -> None:
    less = shifted(made, -2.0)
    found = measure(replace(bench, gates=Gates(1, 1, 0.01, max_bytes=1)), less, 0, silent)
    assert found.sensitivity_drop is not None and found.sensitivity_drop > 0.01 and not found.holds
    assert measure(replace(bench, gates=Gates(1, 1, 1, max_bytes=1)), less, 0, silent).holds


def test_answers_that_are_no_numbers_hold_nothing(bench: Bench, made: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trial.predict_split

    def broken(*given: object, **named: object) -> Predictions:
        found = whole(*given, **named)  # type: ignore[arg-type]
        return replace(found, logits=found.logits * np.float32(np.nan))

    monkeypatch.setattr(trial, "predict_split", broken)
    found = measure(bench, made, 0, silent)
    assert found.flip_rate is None and found.auc_delta is None and found.mean_abs_dp is None and not found.holds


def test_every_image_runs_on_one_thread(bench: Bench, made: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: Path, spec: Preprocessing, *, threads: int) -> Predict:
        asked.append(threads)
        return formats.load(path, spec, threads=threads)

    asked: list[int] = []
    found = []
    monkeypatch.setattr(trial, "formats", SimpleNamespace(load=load))
    for cores in (1, 3):
        monkeypatch.setattr(trial, "usable_cores", lambda cores=cores: cores)
        found.append(measure(bench, made, 1.0, silent))
    assert set(asked) == {1}
    assert found[0].mean_abs_dp == found[1].mean_abs_dp
