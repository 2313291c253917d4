import pytest

from melanoma_edge.data.open import open_dataset
from melanoma_edge.data.sources import folder as source
from melanoma_edge.data.split import check_splits
from melanoma_edge.data.task import TASKS
from melanoma_edge.errors import InputError


def classes(root, draw, count=8, names=("Melanoma", "naevus"), start=0):
    for c, name in enumerate(names):
        for i in range(count):
            draw(root / name / f"{i}.png", start + 100 * c + i)
    return root


def facts(dataset):
    return {s.id: (s.diagnosis, s.group, s.split) for s in dataset.samples}


def test_class_folders(tmp_path, draw):
    found = source.load(str(classes(tmp_path, draw, 2, ("Malignant Melanoma", "seborrheic-keratosis"))))
    assert facts(found) == {
        "Malignant Melanoma/0.png": ("malignant_melanoma", "Malignant Melanoma/0.png", ""),
        "Malignant Melanoma/1.png": ("malignant_melanoma", "Malignant Melanoma/1.png", ""),
        "seborrheic-keratosis/0.png": ("seborrheic_keratosis", "seborrheic-keratosis/0.png", ""),
        "seborrheic-keratosis/1.png": ("seborrheic_keratosis", "seborrheic-keratosis/1.png", ""),
    }
    assert TASKS["binary"].label(found.samples[0].diagnosis) == 1
    assert found.clinical


@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_split_folders(tmp_path, draw, val):
    for n, split in enumerate(("train", val, "TEST")):
        classes(tmp_path / split, draw, 1, start=n * 1000)
    found = source.load(str(tmp_path)).samples
    assert {s.id.split("/")[0]: s.split for s in found} == {"train": "train", val: "val", "TEST": "test"}
    assert len(found) == 6


@pytest.mark.parametrize("missing", ["val", "test"])
def test_a_missing_split_is_carved_and_said(tmp_path, draw, missing):
    other = "test" if missing == "val" else "val"
    classes(tmp_path / "train", draw, 12)
    classes(tmp_path / other, draw, 3, start=5000)
    found = open_dataset(f"folder:{tmp_path}", TASKS["binary"])
    counts = check_splits(found.samples).images
    assert counts[other] == 6
    assert 2 <= counts[missing] <= 6
    assert sum(counts.values()) == 30
    assert found.notes == (f"folder came without {missing}: taken from its train images",)


def test_a_dataset_without_train_is_refused(tmp_path, draw):
    classes(tmp_path / "test", draw)
    with pytest.raises(InputError, match="folder has images for test but none for train"):
        open_dataset(f"folder:{tmp_path}", TASKS["binary"])


def test_what_lies_about_is_a_problem(tmp_path, draw):
    root = classes(tmp_path, draw, 2)
    draw(root / "loose.png", 7)
    draw(root / "naevus" / "deeper" / "8.png", 8)
    (root / "naevus" / "photo.heic").write_bytes(b"heic")
    (root / "naevus" / ".DS_Store").write_bytes(b"hidden")
    (root / "empty").mkdir()
    found = source.load(str(root))
    assert len(found.samples) == 4
    assert sorted((p.where.rsplit("/", 1)[-1], p.why.split(" (")[0]) for p in found.problems) == [
        ("deeper", "folder inside a class folder"),
        ("empty", "class folder without an image"),
        ("loose.png", "image outside a class folder"),
        ("photo.heic", "not named as an image"),
    ]


def test_a_folder_beside_the_splits_is_a_problem(tmp_path, draw):
    classes(tmp_path / "train", draw, 1)
    draw(tmp_path / "notes" / "a.png", 9)
    draw(tmp_path / "train" / "b.png", 10)
    assert sorted(p.why for p in source.load(str(tmp_path)).problems) == [
        "folder beside train, val and test, left out",
        "image outside a class folder",
    ]


def test_a_class_that_speaks_of_melanoma_without_counting_is_noted(tmp_path, draw):
    names = ("melanoma", "melanoma_in_situ", "non_melanoma", "nv")
    found = source.load(str(classes(tmp_path, draw, 1, names)))
    assert found.notes == ("class 'melanoma_in_situ' does not count as melanoma: rename it to melanoma if it should",)


def table(root, draw, text, files=("a.jpg", "images/b.jpg", "c.png")):
    for n, name in enumerate(files):
        draw(root / name, n)
    (root / "labels.csv").write_text(text)
    return str(root)


@pytest.mark.parametrize(("image", "label"), [("image", "label"), ("image_id", "dx"), ("File", "Diagnosis")])
def test_a_labels_table(tmp_path, draw, image, label):
    rows = f"{image},{label},sex,phototype\na.jpg,MEL,female,2\nb,nevus,,\nimages/c,x,,\n./c.png,nevus,,5\n"
    found = source.load(table(tmp_path, draw, rows))
    assert facts(found) == {
        "a.jpg": ("mel", "a.jpg", ""),
        "images/b.jpg": ("nevus", "images/b.jpg", ""),
        "c.png": ("nevus", "c.png", ""),
    }
    assert found.samples[0].metadata == {"sex": "female", "phototype": "2"}
    assert [(p.where, p.why) for p in found.problems] == [("images/c", "label without an image")]


def test_the_patient_wins_over_the_lesion_and_fills_its_other_rows(tmp_path, draw):
    rows = "image,label,lesion_id,patient_id,split\na,mel,L1,P1,train\nb,mel,L1,,train\nc,nv,L2,,validation\n"
    found = source.load(table(tmp_path, draw, rows))
    assert [(s.group, s.split) for s in found.samples] == [("P1", "train"), ("P1", "train"), ("L2", "val")]
    assert found.samples[0].metadata == {"lesion_id": "L1", "patient_id": "P1"}


def test_every_fault_of_a_table_is_a_problem(tmp_path, draw):
    rows = "image,label\na,mel\na.jpg,mel\nb,mel\nimages/b.jpg,nv\nd,nv\nsame,nv\n,nv\ne,\n"
    files = ("a.jpg", "images/b.jpg", "c.png", "x/same.png", "y/same.png", "e.png")
    found = source.load(table(tmp_path, draw, rows, files))
    assert [s.id for s in found.samples] == ["a.jpg"]
    assert {(p.where.rsplit("/", 1)[-1], p.why.split(":")[0]) for p in found.problems} == {
        ("a.jpg", "duplicate row, counted once"),
        ("b.jpg", "its rows disagree on label, left out"),
        ("d", "label without an image"),
        ("same", "names several images"),
        ("labels.csv row 8", "label without an image"),
        ("e.png", "row without a label"),
        ("c.png", "image without a label"),
        ("same.png", "image without a label"),
    }


def test_a_table_cannot_name_files_outside_its_folder(tmp_path, draw):
    draw(tmp_path / "secret.png", 1)
    location = table(tmp_path / "data", draw, "image,label\n../secret.png,mel\na,nv\n")
    found = source.load(location)
    assert [s.id for s in found.samples] == ["a.jpg"]


def test_what_holds_nothing_is_refused_in_one_line(tmp_path, draw):
    with pytest.raises(InputError, match="needs its path"):
        source.load("")
    with pytest.raises(InputError, match="there is no folder"):
        source.load(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"holds no labelled image; accepted are PATH/<class>"):
        source.load(str(tmp_path))
    with pytest.raises(InputError, match="no column label or diagnosis or dx or class: found image, kind"):
        source.load(table(tmp_path, draw, "image,kind\na,mel\n"))
    with pytest.raises(InputError, match="has no row below its header"):
        source.load(table(tmp_path, draw, "image,label\n"))
    with pytest.raises(InputError, match=r"no labelled image \(4 problems, first z: label without an image\)"):
        source.load(table(tmp_path, draw, "image,label\nz,mel\n"))
