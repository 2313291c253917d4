"""What a dataset holds, in numbers that fit a manifest, and its split as a CSV file."""

import csv
import io
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.dataset import SPLITS, Dataset
from melanoma_edge.data.images import image_size
from melanoma_edge.data.split import check_splits
from melanoma_edge.data.task import Task

PROBLEMS_SHOWN = 20


def summarize(dataset: Dataset, task: Task) -> dict[str, Any]:
    """A JSON-able summary: images by split, class and diagnosis, groups, image sizes, problems, the split check."""
    samples = dataset.samples
    by_split = Counter(s.split for s in samples)
    by_class = Counter((s.split, task.classes[task.label(s.diagnosis)]) for s in samples)
    by_diagnosis = Counter((s.split, s.diagnosis) for s in samples)
    diagnoses = sorted({s.diagnosis for s in samples})
    return {
        "name": dataset.name,
        "licence": dataset.licence,
        "clinical": dataset.clinical,
        "task": task.name,
        "notes": list(dataset.notes),
        "images": len(samples),
        "groups": len({s.group for s in samples}),
        "splits": {
            name: {
                "images": by_split[name],
                "classes": {c: by_class[name, c] for c in task.classes},
                "diagnoses": {d: by_diagnosis[name, d] for d in diagnoses},
            }
            for name in SPLITS
        },
        "split_check": asdict(check_splits(samples)),
        "image_size": _size_range([s.path for s in samples]),
        "problems": {
            "count": len(dataset.problems),
            "first": [asdict(problem) for problem in dataset.problems[:PROBLEMS_SHOWN]],
        },
    }


def write_split_csv(dataset: Dataset, path: Path) -> None:
    """Write image_id, group and split of every sample, in order, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_id", "group", "split"])
    writer.writerows((s.id, s.group, s.split) for s in dataset.samples)
    write_atomic(path, text.getvalue())


def _size_range(paths: list[Path]) -> dict[str, list[int]]:
    """Smallest and largest width and height in pixels, as stored."""
    widths, heights = zip(*map(image_size, paths), strict=True)
    return {"width": [min(widths), max(widths)], "height": [min(heights), max(heights)]}
