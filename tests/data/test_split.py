import dataclasses
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoma_edge.data.dataset import SPLITS, Sample
from melanoma_edge.data.split import assign_splits, carve, check_splits, require_apart, require_usable
from melanoma_edge.data.task import TASKS
from melanoma_edge.errors import InputError

DIAGNOSES = ("mel", "nv", "bkl")


def numbered(facts: list[tuple[str, int, int]]) -> tuple[list[Sample], dict[Path, str]]:
    """Samples from (diagnosis, group, content), with the digests their files would have."""
    samples = [Sample(f"i{n:03d}", Path(f"{n}.png"), d, f"g{group}") for n, (d, group, _) in enumerate(facts)]
    return samples, {Path(f"{n}.png"): str(content) for n, (_, _, content) in enumerate(facts)}


FACTS = st.lists(
    st.tuples(st.sampled_from(DIAGNOSES), st.integers(0, 40), st.integers(0, 200)), min_size=1, max_size=120
)


@settings(max_examples=100, deadline=None)
@given(FACTS, st.integers(0, 5))
def test_no_group_and_no_identical_file_is_ever_in_two_splits(facts, seed):
    samples, digest = numbered(facts)
    found = assign_splits(samples, seed, digest=digest)
    assert [s.id for s in found] == [s.id for s in samples]
    assert {s.split for s in found} <= set(SPLITS)
    check = check_splits(found, digest=digest)
    require_apart(check)
    assert sum(check.images.values()) == len(samples)


@settings(max_examples=50, deadline=None)
@given(FACTS, st.randoms(use_true_random=False))
def test_the_split_depends_on_the_seed_and_not_on_the_order(facts, shuffler):
    samples, digest = numbered(facts)
    mixed = samples.copy()
    shuffler.shuffle(mixed)
    first = {s.id: s.split for s in assign_splits(samples, 3, digest=digest)}
    again = {s.id: s.split for s in assign_splits(mixed, 3, digest=digest)}
    assert first == again


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(3, 30), min_size=2, max_size=3), st.integers(0, 9))
def test_every_class_with_three_lesions_is_in_every_split_at_its_share(lesions, seed):
    facts = [(DIAGNOSES[c], 100 * c + n, 100 * c + n) for c, count in enumerate(lesions) for n in range(count)]
    samples, digest = numbered(facts)
    found = assign_splits(samples, seed, digest=digest)
    for c, count in enumerate(lesions):
        counts = [sum(s.split == name and s.diagnosis == DIAGNOSES[c] for s in found) for name in SPLITS]
        assert min(counts) >= 1
        assert all(abs(have - share * count) <= 1.11 for have, share in zip(counts, (0.7, 0.15, 0.15), strict=True))


def test_another_seed_is_another_split(samples):
    assert assign_splits(samples, 0) != assign_splits(samples, 1)


def test_groups_of_many_sizes_still_give_the_stated_shares():
    rng = random.Random(0)
    facts = [(rng.choice(DIAGNOSES), g, 10 * g + i) for g in range(300) for i in range(rng.choice((1, 1, 2, 6)))]
    samples, digest = numbered(facts)
    found = assign_splits(samples, 0, digest=digest)
    shares = [sum(s.split == name for s in found) / len(found) for name in SPLITS]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


def test_identical_files_are_found_on_disk(samples):
    twin = samples[4].path.read_bytes()
    for far in (20, 41):
        samples[far].path.write_bytes(twin)
    found = assign_splits(samples, 0)
    assert len({found[i].split for i in (4, 5, 20, 21, 40, 41)}) == 1
    require_apart(check_splits(found))


def test_given_splits_stay_and_reach_the_rest_of_their_lesion(samples):
    samples[0] = dataclasses.replace(samples[0], split="test")
    samples[9] = dataclasses.replace(samples[9], split="val")
    found = assign_splits(samples, 0)
    assert [found[i].split for i in (0, 1, 8, 9)] == ["test", "test", "val", "val"]


def test_a_missing_split_is_carved_out_of_train_only(samples):
    given_splits = [dataclasses.replace(s, split="test" if i >= 48 else "train") for i, s in enumerate(samples)]
    digest = {s.path: s.id for s in samples}
    found = carve(given_splits, 0, ["val"], digest=digest)
    assert [s.split for s in found[48:]] == ["test"] * 12
    counts = {name: sum(s.split == name for s in found) for name in SPLITS}
    assert counts["val"] == pytest.approx(48 * 0.15 / 0.85, abs=2)
    require_apart(check_splits(found, digest=digest))


def test_a_lesion_in_two_given_splits_is_named(samples):
    leaky = [dataclasses.replace(s, split="train" if i % 2 else "test") for i, s in enumerate(samples)]
    check = check_splits(leaky)
    assert len(check.groups_shared) == 30
    with pytest.raises(InputError, match=r"30 lesions or patients .* lesion0, lesion1, lesion10, lesion11, lesion12:"):
        require_apart(check)


def test_an_identical_file_in_two_given_splits_is_named(samples):
    split = [dataclasses.replace(s, split="train" if i < 30 else "val") for i, s in enumerate(samples)]
    split[50].path.write_bytes(split[10].path.read_bytes())
    check = check_splits(split)
    assert check.identical_files_shared == (("image10", "image50"),)
    with pytest.raises(InputError, match=r"1 sets of identical files .* image10 = image50"):
        require_apart(check)


def test_the_check_counts_and_is_json(samples):
    check = check_splits(assign_splits(samples, 0))
    assert sum(check.images.values()) == 60
    assert sum(check.groups.values()) == 30
    assert sum(check.melanomas.values()) == 20
    assert json.loads(json.dumps(dataclasses.asdict(check)))["groups_shared"] == []


def test_one_class_only_is_refused_with_what_was_found(samples):
    benign = [s for s in samples if s.diagnosis == "nv"]
    with pytest.raises(
        InputError, match=r"too few lesions for the binary task: found other: 20, melanoma: 0 .*nv.*melanoma"
    ):
        require_usable(assign_splits(benign, 0), TASKS["binary"])


def test_too_few_lesions_are_refused(samples):
    few = [s for s in samples if s.diagnosis == "nv" or s.group in ("lesion0", "lesion3")]
    with pytest.raises(InputError, match=r"melanoma: 2 .*at least 3"):
        require_usable(assign_splits(few, 0), TASKS["binary"])


def test_a_class_missing_from_a_given_split_is_refused(samples):
    split = [dataclasses.replace(s, split=SPLITS[int(s.group[6:]) % 3]) for s in samples]
    with pytest.raises(InputError, match="the train split holds no other"):
        require_usable(split, TASKS["binary"])


def test_the_seven_class_task_needs_seven_classes(samples):
    with pytest.raises(InputError, match="too few lesions for the seven task: found akiec: 0"):
        require_usable(assign_splits(samples, 0), TASKS["seven"])
