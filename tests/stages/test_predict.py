"""The predict stage: both splits' logits as the runtime gives them, who gave them, and when they are given anew."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from small_images import SIZE, lesions, prepared
from small_network import mobile

from melanoma_edge import formats
from melanoma_edge.artifact import sha256_file
from melanoma_edge.data.prepared import EVALUATED, Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.formats import write
from melanoma_edge.progress import silent
from melanoma_edge.stages import predict

SPEC = Preprocessing(SIZE)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    work = tmp_path_factory.mktemp("images")
    return prepared(work, lesions(work / "lesions"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ir.Model:
    return mobile()


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_both_splits_are_answered_in_order(form: str, images: Images, model: ir.Model, tmp_path: Path) -> None:
    path, calls = tmp_path / f"m.{form}", []
    write(model, path)
    stage = predict.run(tmp_path, "name", path, sha256_file(path), images, SPEC, lambda *told: calls.append(told))
    answers = predict.predictions(stage)
    loaded = formats.load(path, SPEC)
    for split in EVALUATED:
        part = answers.only(split)
        assert part.ids == tuple(s.id for s in images.samples(split)) and len(part) > 2
        np.testing.assert_array_equal(part.labels, images.labels(split))
        np.testing.assert_array_equal(part.logits, loaded(images.pixels(split)))
    assert (answers.classes, answers.melanoma) == (images.task.classes, images.task.melanoma)
    facts = predict.facts(stage)
    assert (facts["runtime"], facts["version"]) == (loaded.runtime, loaded.version)
    assert (facts["model"], facts["sha256"]) == (path.name, sha256_file(path))
    assert (facts["device"], facts["threads"]) == (loaded.device, loaded.threads) and facts["seconds"] >= 0
    assert {task for task, *_ in calls} == {f"name: predicting {split}" for split in EVALUATED}
    assert {split: max(done for task, done, *_ in calls if task.endswith(split)) for split in EVALUATED} == {
        split: len(images.samples(split)) for split in EVALUATED
    }


def test_it_is_done_again_for_another_file_another_scaling_and_other_images(
    images: Images, model: ir.Model, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    write(model, path)

    def reused(sha256: str, images: Images, spec: Preprocessing) -> bool:
        return predict.run(tmp_path, "m", path, sha256, images, spec, silent).reused

    assert not reused("one", images, SPEC) and reused("one", images, SPEC)
    assert not reused("other", images, SPEC)
    assert not reused("other", images, Preprocessing(SIZE, (127.5,) * 3, (127.5,) * 3))
    few = prepared(tmp_path, lesions(tmp_path / "few", 12))
    assert not reused("other", few, SPEC) and reused("other", few, SPEC)


def test_two_files_of_one_build_keep_their_own_answers(images: Images, model: ir.Model, tmp_path: Path) -> None:
    for form in ("onnx", "tflite"):
        write(model, tmp_path / f"m.{form}")
    stages = [
        predict.run(tmp_path, f"m.{form}", tmp_path / f"m.{form}", form, images, SPEC, silent)
        for form in ("onnx", "tflite")
    ]
    assert [predict.facts(stage)["model"] for stage in stages] == ["m.onnx", "m.tflite"]
    assert stages[0].folder != stages[1].folder
