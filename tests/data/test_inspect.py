import csv

import msgspec

from melanoma_edge.artifact import json_text
from melanoma_edge.data.dataset import Dataset, Problem
from melanoma_edge.data.inspect import DataSummary, SizeRange, summarize, write_split_csv
from melanoma_edge.data.split import assign_splits
from melanoma_edge.data.task import TASKS


def test_the_summary_adds_up_and_is_json(samples, tmp_path, draw):
    draw(samples[0].path, 0, (40, 9))
    problems = tuple(Problem(f"file{i}", "zero bytes") for i in range(25))
    dataset = Dataset("folder", assign_splits(samples, 0), problems, "CC0", notes=("a note",))
    summary = summarize(dataset, TASKS["binary"])
    assert (summary.images, summary.groups) == (60, 30)
    assert sum(part.images for part in summary.splits.values()) == 60
    assert sum(part.classes["melanoma"] for part in summary.splits.values()) == 20
    assert sum(part.diagnoses["nv"] for part in summary.splits.values()) == 40
    assert summary.image_size == SizeRange((16, 40), (9, 12))
    assert (summary.problems.count, len(summary.problems.first)) == (25, 20)
    assert summary.split_check.groups_shared == ()
    assert (summary.licence, summary.clinical, summary.notes) == ("CC0", True, ("a note",))
    assert msgspec.json.decode(json_text(summary), type=DataSummary) == summary


def test_the_split_table_has_every_image(samples, tmp_path):
    dataset = Dataset("folder", assign_splits(samples, 0))
    write_split_csv(dataset, tmp_path / "split.csv")
    with (tmp_path / "split.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["image_id", "group", "split"]
    assert rows[1:] == [[s.id, s.group, s.split] for s in dataset.samples]
