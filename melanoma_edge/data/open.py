"""From what a user types (`ham10000:PATH`, `synthetic`, `A+B`) to screened, split and checked samples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from melanoma_edge import registry
from melanoma_edge.data.dataset import SPLITS, Dataset, Problem, Sample
from melanoma_edge.data.images import EXTENSIONS, digests, screen_all
from melanoma_edge.data.split import assign_splits, carve, check_splits, require_apart, require_usable
from melanoma_edge.data.task import Task
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

SOURCES = "melanoma_edge.data.sources"


@dataclass(frozen=True)
class SourceSpec:
    """One part of a data specification: `name[:location]`."""

    name: str
    location: str


def parse_spec(spec: str) -> tuple[SourceSpec, ...]:
    """The sources joined by `+` in `spec`. A `+` belongs to a path unless a known source's name follows it.

    Raises InputError for an empty part or an unknown source, listing the known ones.
    """
    known = registry.names(SOURCES)
    parts: list[str] = []
    for piece in spec.split("+"):
        inside_path = parts and ":" in parts[-1] and piece.split(":", 1)[0].strip() not in known
        if inside_path or (parts and _exists(f"{parts[-1]}+{piece}")):
            parts[-1] += f"+{piece}"
        else:
            parts.append(piece)
    sources = []
    for part in parts:
        name, _, location = part.strip().partition(":")
        if name not in known:
            raise InputError(f"unknown data {part.strip()!r}: write NAME or NAME:PATH, known are {', '.join(known)}")
        sources.append(SourceSpec(name, location))
    return tuple(sources)


def most_images(spec: str) -> int:
    """How many images `spec` names at most, without opening one. Raises InputError as `parse_spec` does."""
    return sum(_most(source) for source in parse_spec(spec))


def open_dataset(spec: str, task: Task, *, seed: int = 0, strict: bool = False, progress: Progress = silent) -> Dataset:
    """Load, screen, split and check the dataset that `spec` names.

    Every sample of the result has a split and an image file that was decoded once. Files and rows that were left out
    are its `problems`; `strict` refuses them instead. `seed` decides splits that are not given. Raises InputError when
    nothing is usable, splits share a lesion, patient or file, or a class of `task` is missing from a split.
    """
    parts = [_screened(_load(source, progress), progress) for source in parse_spec(spec)]
    problems = tuple(problem for part in parts for problem in part.problems)
    if strict and problems:
        first = "; ".join(f"{problem.where}: {problem.why}" for problem in problems[:5])
        raise InputError(f"{len(problems)} files or rows of {spec} are refused (strict): {first}")
    names = _unique_names(parts)
    digest = digests([sample.path for part in parts for sample in part.samples])
    prefixed = [_prefixed(part, name) if len(parts) > 1 else part for part, name in zip(parts, names, strict=True)]
    carved = [_complete(part, seed, digest) for part in prefixed]
    samples = assign_splits([sample for part in carved for sample in part.samples], seed, digest=digest)
    require_apart(check_splits(samples, digest=digest))
    require_usable(samples, task)
    return Dataset(
        name="+".join(part.name for part in parts),
        samples=samples,
        problems=problems,
        licence=" + ".join(dict.fromkeys(part.licence for part in parts)),
        clinical=any(part.clinical for part in parts),
        notes=tuple(note for part in carved for note in part.notes),
    )


def _most(source: SourceSpec) -> int:
    module, root = registry.load(SOURCES, source.name), Path(source.location).expanduser()
    if hasattr(module, "how_many"):
        return int(module.how_many(source.location))
    return sum(path.suffix.lower() in EXTENSIONS for path in root.rglob("*")) if root.is_dir() else 0


def _exists(part: str) -> bool:
    return Path(part.partition(":")[2]).expanduser().exists() if ":" in part else False


def _load(source: SourceSpec, progress: Progress) -> Dataset:
    dataset: Dataset = registry.load(SOURCES, source.name).load(source.location, progress)
    return dataset


def _screened(dataset: Dataset, progress: Progress) -> Dataset:
    """The dataset without the images that cannot be used, each of them a Problem."""
    reasons = screen_all([sample.path for sample in dataset.samples], progress=progress)
    pairs = list(zip(dataset.samples, reasons, strict=True))
    good = tuple(sample for sample, reason in pairs if reason is None)
    refused = tuple(Problem(str(sample.path), reason) for sample, reason in pairs if reason is not None)
    if not good:
        counts = Counter(reason for reason in reasons if reason is not None)
        why = "; ".join(f"{count} x {reason}" for reason, count in counts.most_common(3)) or "it is empty"
        raise InputError(f"no usable image in {dataset.name}: {why}")
    return replace(dataset, samples=good, problems=dataset.problems + refused)


def _unique_names(parts: Sequence[Dataset]) -> list[str]:
    """The datasets' names, numbered where two are the same."""
    total, seen, names = Counter(part.name for part in parts), Counter[str](), []
    for part in parts:
        seen[part.name] += 1
        names.append(part.name if total[part.name] == 1 else f"{part.name}{seen[part.name]}")
    return names


def _prefixed(part: Dataset, name: str) -> Dataset:
    samples = (replace(sample, id=f"{name}/{sample.id}", group=f"{name}/{sample.group}") for sample in part.samples)
    return replace(part, samples=tuple(samples))


def _complete(part: Dataset, seed: int, digest: Mapping[Path, str]) -> Dataset:
    """A dataset that came with splits but lacks val or test gets them from its train images."""
    present = {sample.split for sample in part.samples} - {""}
    missing = [name for name in SPLITS if name not in present]
    if not present or not missing:
        return part
    samples: tuple[Sample, ...] = part.samples
    if "train" not in present:
        raise InputError(
            f"{part.name} has images for {', '.join(sorted(present))} but none for train: add some there, or "
            "leave the splits out to have them made"
        )
    note = f"{part.name} came without {' and '.join(missing)}: taken from its train images"
    return replace(part, samples=carve(samples, seed, missing, digest=digest), notes=(*part.notes, note))
