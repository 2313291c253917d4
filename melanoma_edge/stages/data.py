"""Read a dataset once: screened, split, checked, and decoded into uint8 arrays that every later stage maps."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from melanoma_edge.artifact import run_stage, sha256_file, sha256_json, write_json
from melanoma_edge.data.dataset import Dataset, Sample
from melanoma_edge.data.inspect import CalibrationImages, summarize
from melanoma_edge.data.open import open_dataset, parse_spec
from melanoma_edge.data.pixels import write_pixels
from melanoma_edge.data.prepared import EVALUATED, SUMMARY, Images
from melanoma_edge.data.task import TASKS, Task
from melanoma_edge.errors import InputError
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import Progress

TRAIN_MARGIN = 1.14  # training crops at random from slightly larger images


def prepare(work: Path, options: DataOptions, *, size: int, train: bool, progress: Progress) -> Images:
    """Open the dataset, or reuse what the last run left if neither its files nor the options changed.

    size: side of the network's input. train: whether the training images are decoded too, or only the calibration's.
    """
    wanted = task(options.task)
    train_size = math.ceil(size * TRAIN_MARGIN) if train else 0

    def make(folder: Path) -> None:
        dataset = open_dataset(options.data, wanted, seed=options.seed, strict=options.strict, progress=progress)
        calibration = _choose(dataset.split("train"), options.calibration_images, options.seed)
        _write_samples(folder / "samples.csv", dataset)
        for split in EVALUATED:
            write_pixels(dataset.split(split), size, folder / f"{split}.npy", progress=progress)
        write_pixels(calibration, size, folder / "calibration.npy", progress=progress)
        if train:
            write_pixels(dataset.split("train"), train_size, folder / "train.npy", progress=progress)
        counted = _calibration(dataset, calibration)
        write_json(folder / SUMMARY, replace(summarize(dataset, wanted), calibration=counted))

    stage = run_stage(
        work / "data",
        make,
        inputs={"images": _fingerprint(options.data)},
        code=__name__,
        options={**vars(options), "size": size, "train_size": train_size},
        tools=("pillow",),
    )
    return Images(stage, wanted, size)


def task(name: str) -> Task:
    """The task of that name. Raises InputError, listing the known, for another."""
    if name not in TASKS:
        raise InputError(f"unknown task {name!r}: known are {', '.join(TASKS)}")
    return TASKS[name]


def _fingerprint(spec: str) -> str:
    """Changes when a file under a source's location is added, removed, resized or touched; opens none of them.

    A location that is a file, such as a table, stands for its folder, where what it names lies.
    """
    listing: list[object] = [spec]
    for source in parse_spec(spec):
        location = Path(source.location).expanduser()
        root = location.parent if location.is_file() else location
        paths = sorted(p for p in root.rglob("*") if p.is_file()) if source.location and root.is_dir() else []
        listing += [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
    return sha256_json(listing)


def _choose(train: Sequence[Sample], count: int, seed: int) -> tuple[Sample, ...]:
    """`count` training samples at random, in dataset order."""
    picked = np.random.default_rng(seed).permutation(len(train))[:count]
    return tuple(train[i] for i in sorted(picked))


def _calibration(dataset: Dataset, calibration: Sequence[Sample]) -> CalibrationImages:
    """Which images calibrate, with the proof that none of them is evaluated."""
    seen = {sha256_file(s.path) for s in calibration}
    evaluated = [s for split in EVALUATED for s in dataset.split(split)]
    groups = {s.group for s in evaluated}
    return CalibrationImages(
        split="train",
        count=len(calibration),
        ids=tuple(s.id for s in calibration),
        groups_shared_with_evaluation=len({s.group for s in calibration} & groups),
        identical_files_in_evaluation=sum(sha256_file(s.path) in seen for s in evaluated),
    )


def _write_samples(path: Path, dataset: Dataset) -> None:
    with path.open("w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["id", "path", "diagnosis", "group", "split", "metadata"])
        for s in dataset.samples:
            writer.writerow([s.id, s.path, s.diagnosis, s.group, s.split, json.dumps(dict(s.metadata))])
