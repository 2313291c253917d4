import pytest

from melanoma_edge.data.dataset import SPLITS
from melanoma_edge.data.open import SourceSpec, open_dataset, parse_spec
from melanoma_edge.data.split import check_splits, require_apart
from melanoma_edge.data.task import TASKS
from melanoma_edge.errors import InputError

BINARY = TASKS["binary"]


@pytest.fixture
def lesions(tmp_path, draw):
    """A folder of two classes with ten images each."""
    for c, name in enumerate(("melanoma", "nv")):
        for i in range(10):
            draw(tmp_path / "lesions" / name / f"{i}.png", 100 * c + i)
    return tmp_path / "lesions"


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("synthetic", [("synthetic", "")]),
        ("synthetic:300,7", [("synthetic", "300,7")]),
        ("folder:/a/b", [("folder", "/a/b")]),
        ("folder:C:/a", [("folder", "C:/a")]),
        ("folder:/a+synthetic", [("folder", "/a"), ("synthetic", "")]),
        ("synthetic + ham10000:/h", [("synthetic", ""), ("ham10000", "/h")]),
        ("folder:/a+b/c+folder:/d", [("folder", "/a+b/c"), ("folder", "/d")]),
    ],
)
def test_specifications(spec, parts):
    assert parse_spec(spec) == tuple(SourceSpec(*part) for part in parts)


def test_a_plus_inside_a_path_that_exists_belongs_to_it(tmp_path):
    (tmp_path / "mine+synthetic").mkdir()
    assert parse_spec(f"folder:{tmp_path}/mine+synthetic") == (SourceSpec("folder", f"{tmp_path}/mine+synthetic"),)


@pytest.mark.parametrize("spec", ["", "isic", "/some/path", "synthetic+", "+synthetic", "synthetic+isic:/a", "isic:/a"])
def test_an_unknown_source_is_answered_with_the_known(spec):
    with pytest.raises(InputError, match="known are folder, ham10000, synthetic"):
        parse_spec(spec)


def test_every_sample_has_a_split_and_the_seed_decides(lesions):
    first, again, other = (open_dataset(f"folder:{lesions}", BINARY, seed=seed) for seed in (1, 1, 2))
    assert {s.split for s in first.samples} == set(SPLITS)
    assert first == again
    assert [s.id for s in first.samples] == [s.id for s in other.samples]
    assert first.samples != other.samples


def test_unusable_images_are_left_out_and_listed(lesions):
    (lesions / "nv" / "3.png").write_bytes(b"")
    (lesions / "melanoma" / "note.jpg").write_text("not an image")
    found = open_dataset(f"folder:{lesions}", BINARY)
    assert len(found.samples) == 19
    assert {(p.where.rsplit("/", 1)[-1], p.why.split(" in one")[0]) for p in found.problems} == {
        ("3.png", "zero bytes"),
        ("note.jpg", "not an image"),
    }
    with pytest.raises(
        InputError, match=r"2 files or rows of folder:.* are refused \(strict\): .*note\.jpg: not an image"
    ):
        open_dataset(f"folder:{lesions}", BINARY, strict=True)


def test_nothing_usable_says_why(lesions):
    for path in lesions.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="no usable image in folder: 20 x zero bytes"):
        open_dataset(f"folder:{lesions}", BINARY)


def test_one_class_only_is_refused(lesions):
    for path in (lesions / "melanoma").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"too few lesions .* other: 10, melanoma: 0"):
        open_dataset(f"folder:{lesions}", BINARY)


def test_a_diagnosis_outside_the_task_is_refused(lesions):
    (lesions / "nv").rename(lesions / "freckle")
    with pytest.raises(InputError, match="'freckle' is none of the task's classes: akiec"):
        open_dataset(f"folder:{lesions}", TASKS["seven"])


def test_leaking_splits_are_refused(lesions):
    rows = [f"{c}/{i}.png,{c},L{i},{SPLITS[(i + (c == 'nv')) % 3]}" for c in ("melanoma", "nv") for i in range(10)]
    (lesions / "labels.csv").write_text("image,label,lesion_id,split\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match="10 lesions or patients are in more than one split"):
        open_dataset(f"folder:{lesions}", BINARY)


def test_a_join_keeps_names_apart_and_identical_files_together(lesions, tmp_path, draw):
    for c, name in enumerate(("melanoma", "nv")):
        for i in range(10):
            draw(tmp_path / "more" / name / f"{i}.png", 100 * c + (i if i < 5 else i + 1000))
    found = open_dataset(f"folder:{lesions}+folder:{tmp_path / 'more'}", BINARY)
    assert found.name == "folder+folder"
    assert len({s.id for s in found.samples}) == 40
    assert {s.id.split("/")[0] for s in found.samples} == {"folder1", "folder2"}
    split = {s.id: s.split for s in found.samples}
    assert all(split[f"folder1/nv/{i}.png"] == split[f"folder2/nv/{i}.png"] for i in range(5))
    require_apart(check_splits(found.samples))


def test_a_join_of_generated_and_real_images_counts_as_clinical(lesions, synthetic_cache):
    found = open_dataset(f"synthetic:90+folder:{lesions}", BINARY)
    assert (found.name, found.licence, found.clinical) == ("synthetic+folder", "generated + unknown", True)
    assert len(found.samples) == 110
