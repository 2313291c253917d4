from collections import Counter
from dataclasses import replace

import pytest

from melanoma_edge.data.dataset import SPLITS
from melanoma_edge.data.open import open_dataset
from melanoma_edge.data.preprocess import load_pixels
from melanoma_edge.data.sources import ham10000 as source
from melanoma_edge.data.split import assign_splits, check_splits
from melanoma_edge.data.task import HAM10000_CLASSES, TASKS
from melanoma_edge.errors import InputError

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"


def official(root, draw, folder="images", name="HAM10000_metadata.csv", count=6):
    rows = [f"L{i // 2},ISIC_{i},{HAM10000_CLASSES[i // 2]},histo,{50 + i}.0,male,back" for i in range(count)]
    root.mkdir(exist_ok=True)
    (root / name).write_text(HEADER + "\n".join(rows) + "\n")
    for i in range(count):
        draw(root / folder / f"ISIC_{i}.jpg", i)
    return root


@pytest.mark.parametrize("folder", ["images", "HAM10000_images_part_1", "HAM10000_images_part_2", "."])
@pytest.mark.parametrize("name", ["HAM10000_metadata.csv", "HAM10000_metadata"])
def test_the_official_layouts_are_read(tmp_path, draw, folder, name):
    found = source.load(str(official(tmp_path / "ham", draw, folder, name)))
    assert [(s.id, s.diagnosis, s.group) for s in found.samples[:3]] == [
        ("ISIC_0", "akiec", "L0"),
        ("ISIC_1", "akiec", "L0"),
        ("ISIC_2", "bcc", "L1"),
    ]
    assert found.samples[0].metadata == {"sex": "male", "age": "50.0", "localization": "back", "dx_type": "histo"}
    assert (found.licence, found.clinical, found.problems) == ("CC BY-NC 4.0", True, ())


def test_images_may_lie_in_both_parts(tmp_path, draw):
    root = official(tmp_path / "ham", draw, "HAM10000_images_part_1")
    (root / "HAM10000_images_part_2").mkdir()
    moved = root / "HAM10000_images_part_2" / "ISIC_5.jpg"
    (root / "HAM10000_images_part_1" / "ISIC_5.jpg").rename(moved)
    assert source.load(str(root)).samples[5].path == moved


def test_splits_beside_the_metadata_are_used(tmp_path, draw):
    root = official(tmp_path / "ham", draw)
    (root / "splits.csv").write_text(
        "image_id,lesion_id,split\n"
        + "".join(f"ISIC_{i},L{i // 2},{('train', 'val', 'test')[i // 2]}\n" for i in range(6))
    )
    assert [s.split for s in source.load(str(root)).samples] == ["train", "train", "val", "val", "test", "test"]


def test_every_fault_of_the_table_is_a_problem(tmp_path, draw):
    root = official(tmp_path / "ham", draw)
    with (root / "HAM10000_metadata.csv").open("a") as table:
        table.write("L0,ISIC_0,akiec,histo,50,male,back\nL9,ISIC_9,mel,histo,50,male,back\nL2,ISIC_4,nv,,,,\n")
        table.write("L3,ISIC_7,wart,histo,50,male,back\n")
    draw(root / "images" / "ISIC_8.jpg", 8)
    draw(root / "ISIC_0.jpg", 0)
    found = source.load(str(root))
    assert [s.id for s in found.samples] == ["ISIC_0", "ISIC_1", "ISIC_2", "ISIC_3", "ISIC_5"]
    reasons = {p.where.rsplit("/", 1)[-1]: p.why for p in found.problems}
    assert reasons["ISIC_9"] == "label without an image"
    assert reasons["ISIC_4"] == "its rows disagree on dx, left out"
    assert reasons["ISIC_7"].startswith("diagnosis 'wart' is none of akiec")
    assert reasons["ISIC_8.jpg"] == "image without a label"
    assert reasons["ISIC_0"] == "duplicate row, counted once"
    assert reasons["ISIC_0.jpg"].startswith("same name as")
    assert len(found.problems) == 6


def test_what_is_no_ham10000_is_refused_in_one_line(tmp_path, draw):
    with pytest.raises(InputError, match="needs its folder"):
        source.load("")
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        source.load(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"holds no HAM10000_metadata\.csv"):
        source.load(str(tmp_path))
    (tmp_path / "HAM10000_metadata.csv").write_text("image,label\na,mel\n")
    with pytest.raises(InputError, match="no column dx, image_id, lesion_id: found image, label"):
        source.load(str(tmp_path))
    (tmp_path / "HAM10000_metadata.csv").write_text(HEADER)
    with pytest.raises(InputError, match="has no row below its header"):
        source.load(str(tmp_path))
    (tmp_path / "HAM10000_metadata.csv").write_text(HEADER + "L0,ISIC_0,mel,histo,50,male,back\n")
    with pytest.raises(InputError, match="holds no labelled image: 1 rows and 0 images"):
        source.load(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "why"),
    [("image_id,split\nISIC_0,holdout\n", "'holdout' is none of"), ("id,part\na,b\n", "must have the columns")],
)
def test_bad_splits_are_refused(tmp_path, draw, content, why):
    root = official(tmp_path / "ham", draw)
    (root / "splits.csv").write_text(content)
    with pytest.raises(InputError, match=why):
        source.load(str(root))


@pytest.mark.data
def test_the_real_dataset(ham10000):
    found = open_dataset(f"ham10000:{ham10000}", TASKS["seven"], strict=True)
    assert Counter(s.split for s in found.samples) == {"train": 7001, "val": 1507, "test": 1507}
    assert Counter(s.diagnosis for s in found.samples)["mel"] == 1113
    assert load_pixels(found.split("test")[0].path, 96).std() > 10


@pytest.mark.data
def test_our_own_split_of_the_real_dataset_is_stratified(ham10000):
    found = assign_splits([replace(s, split="") for s in source.load(str(ham10000)).samples], 0)
    check = check_splits(found)
    assert check.groups_shared == check.identical_files_shared == ()
    for diagnosis, count in Counter(s.diagnosis for s in found).items():
        shares = [sum(s.diagnosis == diagnosis and s.split == name for s in found) / count for name in SPLITS]
        assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.02)
