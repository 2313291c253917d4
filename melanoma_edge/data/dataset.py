"""What a dataset is: samples with a diagnosis, a lesion or patient and a split, and the problems met while reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Sample:
    """One image on disk. `group` is the lesion or patient: no group is ever in two splits."""

    id: str
    path: Path
    diagnosis: str  # the dataset's own class name in lower case, e.g. "mel"
    group: str
    split: str = ""  # one of SPLITS; empty until split
    metadata: Mapping[str, str] = field(default_factory=dict)  # e.g. sex, age, localization


@dataclass(frozen=True)
class Problem:
    """A file or row that was left out, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class Dataset:
    """Samples in a fixed order. `clinical` is False for procedural images, which no report may present as patients."""

    name: str
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()
    licence: str = "unknown"
    clinical: bool = True
    notes: tuple[str, ...] = ()  # what was decided while opening that the user should know

    def split(self, name: str) -> tuple[Sample, ...]:
        """The samples of one split, in order."""
        return tuple(sample for sample in self.samples if sample.split == name)
