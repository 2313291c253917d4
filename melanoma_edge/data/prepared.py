"""A dataset that was read once: its splits as arrays on disk, as every later step sees them."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.artifact import Stage, read_json
from melanoma_edge.data.dataset import Sample
from melanoma_edge.data.inspect import DataSummary
from melanoma_edge.data.pixels import read_pixels
from melanoma_edge.data.task import Task

EVALUATED = ("val", "test")
SUMMARY = "data.json"


@dataclass(frozen=True)
class Images:
    """The data stage as later stages see it. Pixels are memory-mapped uint8 `[N, S, S, 3]`."""

    stage: Stage
    task: Task
    size: int

    @property
    def summary(self) -> DataSummary:
        """What the dataset holds, and which images calibrate."""
        return read_json(self.stage.folder / SUMMARY, DataSummary)

    def pixels(self, name: str) -> NDArray[np.uint8]:
        """Decoded images of "train" (larger than the network's input), "calibration", "val" or "test"."""
        return read_pixels(self.stage.folder / f"{name}.npy")

    def samples(self, split: str) -> tuple[Sample, ...]:
        """The samples of a split in the order of its pixels."""
        with (self.stage.folder / "samples.csv").open(newline="") as file:
            return tuple(
                Sample(row["id"], Path(row["path"]), row["diagnosis"], row["group"], split, json.loads(row["metadata"]))
                for row in csv.DictReader(file)
                if row["split"] == split
            )

    def labels(self, split: str) -> NDArray[np.int64]:
        """Class index of every sample of a split."""
        return np.array([self.task.label(sample.diagnosis) for sample in self.samples(split)], np.int64)
