"""Train, validation and test: no lesion or patient, and no identical file, is ever in two of them."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from melanoma_edge.data.dataset import SPLITS, Sample
from melanoma_edge.data.images import digests
from melanoma_edge.data.task import MELANOMA_NAMES, Task
from melanoma_edge.errors import InputError

FRACTIONS = (0.70, 0.15, 0.15)


@dataclass(frozen=True)
class SplitCheck:
    """What is in each split, and what two splits share: lists the shared groups and files, both empty when all is well.

    images, groups, melanomas: counts by split name.
    """

    images: Mapping[str, int]
    groups: Mapping[str, int]
    melanomas: Mapping[str, int]
    groups_shared: tuple[str, ...]
    identical_files_shared: tuple[tuple[str, ...], ...]


def assign_splits(
    samples: Sequence[Sample],
    seed: int,
    fractions: tuple[float, float, float] = FRACTIONS,
    *,
    digest: Mapping[Path, str] | None = None,
) -> tuple[Sample, ...]:
    """The samples, in order, with every empty split filled; splits that are given stay.

    Samples of one group or with identical bytes stay together, so one that has a split gives it to the others. The rest
    is distributed by iterative stratification (Sechidis et al., ECML PKDD 2011): diagnoses from the rarest on, each
    group to a split that has none of that diagnosis yet, else to the one that lacks most. `digest` may hold the digest
    of each file. Ids must be unique. The result depends on the samples and the seed, not on their order.
    """
    digest = digests([sample.path for sample in samples]) if digest is None else digest
    joined = _joined(samples, digest)
    chosen = {key: _given(members) for key, members in joined.items()}
    open_groups = {key: members for key, members in joined.items() if not chosen[key]}
    chosen |= _distribute(open_groups, seed, dict(zip(SPLITS, fractions, strict=True)))
    split_of = {sample.id: chosen[key] for key, members in joined.items() for sample in members}
    return tuple(sample if sample.split else replace(sample, split=split_of[sample.id]) for sample in samples)


def carve(
    samples: Sequence[Sample], seed: int, missing: Sequence[str], *, digest: Mapping[Path, str]
) -> tuple[Sample, ...]:
    """The samples with the splits in `missing` taken out of train, whole groups at a time, at their usual fractions."""
    usual = dict(zip(SPLITS, FRACTIONS, strict=True))
    share = [usual[name] if name == "train" or name in missing else 0.0 for name in SPLITS]
    train = [replace(sample, split="") for sample in samples if sample.split == "train"]
    part = [value / sum(share) for value in share]
    assigned = {sample.id: sample for sample in assign_splits(train, seed, (part[0], part[1], part[2]), digest=digest)}
    return tuple(assigned.get(sample.id, sample) for sample in samples)


def check_splits(samples: Sequence[Sample], *, digest: Mapping[Path, str] | None = None) -> SplitCheck:
    """Count what is in each split and find what two splits share. `digest` may hold the digest of each file."""
    digest = digests([sample.path for sample in samples]) if digest is None else digest
    by_group: dict[str, set[str]] = defaultdict(set)
    by_bytes: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_group[sample.group].add(sample.split)
        by_bytes[digest[sample.path]].append(sample)
    twins = [members for members in by_bytes.values() if len({sample.split for sample in members}) > 1]
    melanomas = Counter(sample.split for sample in samples if sample.diagnosis in MELANOMA_NAMES)
    images = Counter(sample.split for sample in samples)
    return SplitCheck(
        images={name: images[name] for name in SPLITS},
        groups={name: sum(name in splits for splits in by_group.values()) for name in SPLITS},
        melanomas={name: melanomas[name] for name in SPLITS},
        groups_shared=tuple(sorted(group for group, splits in by_group.items() if len(splits) > 1)),
        identical_files_shared=tuple(sorted(tuple(sorted(sample.id for sample in members)) for members in twins)),
    )


def require_apart(check: SplitCheck) -> None:
    """Raise InputError, with up to 5 examples, when two splits share a group or an identical file."""
    if check.groups_shared:
        raise InputError(
            f"{len(check.groups_shared)} lesions or patients are in more than one split, e.g. "
            f"{', '.join(check.groups_shared[:5])}: give each one split, or leave the splits out to have them made"
        )
    if check.identical_files_shared:
        examples = "; ".join(" = ".join(ids) for ids in check.identical_files_shared[:5])
        raise InputError(
            f"{len(check.identical_files_shared)} sets of identical files are in more than one split, e.g. {examples}: "
            "keep one of each, or leave the splits out to have them made"
        )


def require_usable(samples: Sequence[Sample], task: Task) -> None:
    """Raise InputError unless every class of the task is in every split, saying what was found and what is needed."""
    groups: dict[int, set[str]] = {index: set() for index in range(len(task.classes))}
    seen: set[tuple[str, int]] = set()
    for sample in samples:
        label = task.label(sample.diagnosis)
        groups[label].add(sample.group)
        seen.add((sample.split, label))
    counts = ", ".join(f"{name}: {len(groups[index])}" for index, name in enumerate(task.classes))
    if any(len(members) < len(SPLITS) for members in groups.values()):
        diagnoses = ", ".join(sorted({sample.diagnosis for sample in samples})[:20])
        raise InputError(
            f"too few lesions for the {task.name} task: found {counts} (diagnoses {diagnoses}); each class needs at "
            f"least {len(SPLITS)}, one for each of train, val and test. Melanoma is called one of "
            f"{', '.join(sorted(MELANOMA_NAMES))}"
        )
    for split in SPLITS:
        absent = [name for index, name in enumerate(task.classes) if (split, index) not in seen]
        if absent:
            raise InputError(
                f"the {split} split holds no {' and no '.join(absent)}: every class must be in train, val and test"
            )


def _joined(samples: Sequence[Sample], digest: Mapping[Path, str]) -> dict[str, list[Sample]]:
    """Samples that must stay together (same group, or same bytes, directly or through others), by their first id."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for sample in samples:
        parent[root(f"bytes {digest[sample.path]}")] = root(f"group {sample.group}")
    together: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        together[root(f"group {sample.group}")].append(sample)
    return {min(sample.id for sample in members): members for members in together.values()}


def _given(members: Iterable[Sample]) -> str:
    """The split that most of the members were given, or nothing."""
    counts = Counter(sample.split for sample in members if sample.split)
    return max(sorted(counts), key=lambda name: counts[name]) if counts else ""


def _distribute(groups: Mapping[str, Sequence[Sample]], seed: int, fractions: Mapping[str, float]) -> dict[str, str]:
    """A split for each group, by its key."""
    keys = sorted(groups)
    random.Random(seed).shuffle(keys)
    keys.sort(key=lambda key: -len(groups[key]))  # large groups first, while every split still has room
    wanted = [name for name, fraction in fractions.items() if fraction > 0]
    content = {key: Counter(sample.diagnosis for sample in groups[key]) for key in keys}
    totals = sum(content.values(), Counter[str]())
    counts: dict[str, Counter[str]] = {name: Counter() for name in wanted}
    chosen: dict[str, str] = {}
    for diagnosis in sorted(totals, key=lambda name: (totals[name], name)):
        for key in keys:
            if key in chosen or not content[key][diagnosis]:
                continue
            surplus = {name: counts[name][diagnosis] - fractions[name] * totals[diagnosis] for name in wanted}
            empty = [name for name in wanted if not counts[name][diagnosis]]
            chosen[key] = min(empty or wanted, key=lambda name: surplus[name])
            counts[chosen[key]] += content[key]
    return chosen
