"""The data stage: arrays that are the images, calibration that evaluation never sees, and when it is done again."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_images import SIZE, lesions, prepared

from melanoma_edge.data.dataset import SPLITS, Dataset, Sample
from melanoma_edge.data.prepared import EVALUATED
from melanoma_edge.data.preprocess import load_pixels
from melanoma_edge.errors import InputError
from melanoma_edge.stages import data as data_stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lesions(tmp_path / "lesions")


def test_arrays_are_the_images_of_their_splits_in_order(tmp_path: Path, folder: Path) -> None:
    images = prepared(tmp_path, folder, train=True, calibration_images=10)
    sizes = dict.fromkeys(EVALUATED, SIZE) | {"train": 19}  # 16 * 1.14, rounded up
    for split in SPLITS:
        samples, pixels = images.samples(split), images.pixels(split)
        assert len(samples) > 2 and pixels.shape == (len(samples), *[sizes[split]] * 2, 3)
        for sample, found in zip(samples, pixels, strict=True):
            np.testing.assert_array_equal(found, load_pixels(sample.path, sizes[split]))
        assert images.labels(split).tolist() == [int(s.diagnosis == "melanoma") for s in samples]
    assert sum(len(images.samples(split)) for split in SPLITS) == 48
    assert images.summary.images == 48 and images.task.name == "binary" and images.size == SIZE


def test_calibration_is_of_training_images_alone(tmp_path: Path, folder: Path) -> None:
    images = prepared(tmp_path, folder, calibration_images=10)
    told, train = images.summary.calibration, {s.id: s for s in images.samples("train")}
    assert told is not None and (told.split, told.count) == ("train", 10)
    assert len(set(told.ids)) == 10 and set(told.ids) < set(train)
    assert (told.groups_shared_with_evaluation, told.identical_files_in_evaluation) == (0, 0)
    for image, pixels in zip(told.ids, images.pixels("calibration"), strict=True):
        np.testing.assert_array_equal(pixels, load_pixels(train[image].path, SIZE))
    assert list(told.ids) == [image for image in train if image in told.ids], "in the dataset's order"
    assert not (images.stage.folder / "train.npy").exists(), "nothing is trained"


def test_the_seed_draws_the_calibration_and_no_more_than_there_are(tmp_path: Path, folder: Path) -> None:
    dataset = [Sample(f"im{i}", Path(f"{i}"), "nv", f"g{i}", "train") for i in range(30)]
    one, again, other = (data_stage._choose(dataset, 10, seed) for seed in (0, 0, 1))
    assert one == again != other
    images = prepared(tmp_path, folder, calibration_images=1000)
    assert len(images.pixels("calibration")) == len(images.samples("train"))


def test_an_evaluated_image_among_the_calibration_is_counted(folder: Path) -> None:
    paths = sorted(folder.rglob("*.png"))
    paths[1].write_bytes(paths[0].read_bytes())
    groups = ("same", "other", "same", "alone")
    splits = ("train", "test", "val", "test")
    samples = tuple(Sample(f"im{i}", paths[i], "nv", groups[i], splits[i]) for i in range(4))
    told = data_stage._calibration(Dataset("folder", samples, (), "unknown"), samples[:1])
    assert (told.groups_shared_with_evaluation, told.identical_files_in_evaluation) == (1, 1)


def test_nothing_is_done_again_until_a_file_or_an_option_changes(tmp_path: Path, folder: Path) -> None:
    assert not prepared(tmp_path, folder).stage.reused and prepared(tmp_path, folder).stage.reused
    first = sorted(folder.rglob("*.png"))[0]
    os.utime(first, (1, 1))
    assert not prepared(tmp_path, folder).stage.reused, "a file was touched"
    Image.new("RGB", (20, 20), (200, 100, 90)).save(folder / "nv" / "new.png")
    assert not prepared(tmp_path, folder).stage.reused, "one was added"
    (folder / "nv" / "new.png").unlink()
    assert not prepared(tmp_path, folder).stage.reused, "one is gone"
    for options in ({"seed": 1}, {"calibration_images": 9}, {"train": True}, {"strict": True}):
        assert not prepared(tmp_path, folder, **options).stage.reused, options
        assert prepared(tmp_path, folder, **options).stage.reused, options


def test_an_unknown_task_names_the_known(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="unknown task 'ternary': known are binary, seven"):
        prepared(tmp_path, folder, task="ternary")


def test_what_is_refused_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    (folder / "nv" / "0.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 files or rows of .* are refused"):
        prepared(tmp_path / "work", folder, strict=True)
    assert not any((tmp_path / "work").rglob("*.npy"))
    images = prepared(tmp_path / "work", folder)
    assert sum(len(images.samples(split)) for split in SPLITS) == 47 and images.summary.problems.count == 1


@pytest.mark.parametrize("location", ["", "/labels.csv"], ids=["a folder", "a file"])
@pytest.mark.parametrize("changed", ["labels.csv", "inner/a.png"])
def test_a_touched_file_makes_the_data_stale(location: str, changed: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("labels.csv", "inner/a.png"):
        (tmp_path / name).write_text("before")
    before = data_stage._fingerprint(f"folder:{tmp_path}{location}")
    assert data_stage._fingerprint(f"folder:{tmp_path}{location}") == before
    (tmp_path / changed).write_text("behind")  # of the same length
    os.utime(tmp_path / changed, (1, 1))
    assert data_stage._fingerprint(f"folder:{tmp_path}{location}") != before


def test_a_source_that_is_no_place_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = data_stage._fingerprint("synthetic:240")
    (tmp_path / "a.png").touch()
    assert data_stage._fingerprint("synthetic:240") == before
