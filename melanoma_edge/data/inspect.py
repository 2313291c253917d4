"""What a dataset holds, in numbers that fit a manifest, and its split as a CSV file."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.dataset import SPLITS, Dataset, Problem
from melanoma_edge.data.images import image_size
from melanoma_edge.data.split import SplitCheck, check_splits
from melanoma_edge.data.task import Task
from melanoma_edge.document import by_name

PROBLEMS_SHOWN = 20


@dataclass(frozen=True)
class SplitCounts:
    """Images of one split: all, by class of the task, and by the dataset's own diagnosis."""

    images: int
    classes: Mapping[str, int]
    diagnoses: Mapping[str, int]

    __getitem__ = by_name


@dataclass(frozen=True)
class SizeRange:
    """Smallest and largest width and height of the images in pixels, as stored."""

    width: tuple[int, int]
    height: tuple[int, int]

    __getitem__ = by_name


@dataclass(frozen=True)
class Problems:
    """How many files or rows were left out, and the first PROBLEMS_SHOWN of them."""

    count: int
    first: tuple[Problem, ...]

    __getitem__ = by_name


@dataclass(frozen=True)
class CalibrationImages:
    """The images that set the INT8 ranges, and the proof that none is evaluated: both last counts are 0.

    split: which one they are from. groups_shared_with_evaluation: their lesions or patients that validation or test
    holds too. identical_files_in_evaluation: images of validation and test with the bytes of one of them.
    """

    split: str
    count: int
    ids: tuple[str, ...]
    groups_shared_with_evaluation: int
    identical_files_in_evaluation: int

    __getitem__ = by_name


@dataclass(frozen=True)
class DataSummary:
    """A dataset as report.json has it. splits: by name, of SPLITS. calibration: None where nothing is compiled."""

    name: str
    licence: str
    clinical: bool
    task: str
    notes: tuple[str, ...]
    images: int
    groups: int
    splits: Mapping[str, SplitCounts]
    split_check: SplitCheck
    image_size: SizeRange
    problems: Problems
    calibration: CalibrationImages | None = None

    __getitem__ = by_name


def summarize(dataset: Dataset, task: Task) -> DataSummary:
    """Count what a dataset holds, with every image's size and bytes read from disk."""
    samples = dataset.samples
    by_split = Counter(sample.split for sample in samples)
    by_class = Counter((sample.split, task.classes[task.label(sample.diagnosis)]) for sample in samples)
    by_diagnosis = Counter((sample.split, sample.diagnosis) for sample in samples)
    diagnoses = sorted({sample.diagnosis for sample in samples})
    return DataSummary(
        name=dataset.name,
        licence=dataset.licence,
        clinical=dataset.clinical,
        task=task.name,
        notes=dataset.notes,
        images=len(samples),
        groups=len({sample.group for sample in samples}),
        splits={
            name: SplitCounts(
                by_split[name],
                {label: by_class[name, label] for label in task.classes},
                {diagnosis: by_diagnosis[name, diagnosis] for diagnosis in diagnoses},
            )
            for name in SPLITS
        },
        split_check=check_splits(samples),
        image_size=_size_range([sample.path for sample in samples]),
        problems=Problems(len(dataset.problems), dataset.problems[:PROBLEMS_SHOWN]),
    )


def write_split_csv(dataset: Dataset, path: Path) -> None:
    """Write image_id, group and split of every sample, in order, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_id", "group", "split"])
    writer.writerows((sample.id, sample.group, sample.split) for sample in dataset.samples)
    write_atomic(path, text.getvalue())


def _size_range(paths: list[Path]) -> SizeRange:
    widths, heights = zip(*map(image_size, paths), strict=True)
    return SizeRange((min(widths), max(widths)), (min(heights), max(heights)))
