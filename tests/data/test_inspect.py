import csv
import json

from melanoma_edge.data.dataset import Dataset, Problem
from melanoma_edge.data.inspect import summarize, write_split_csv
from melanoma_edge.data.split import assign_splits
from melanoma_edge.data.task import TASKS


def test_the_summary_adds_up_and_is_json(samples, tmp_path, draw):
    draw(samples[0].path, 0, (40, 9))
    problems = tuple(Problem(f"file{i}", "zero bytes") for i in range(25))
    dataset = Dataset("folder", assign_splits(samples, 0), problems, "CC0", notes=("a note",))
    found = json.loads(json.dumps(summarize(dataset, TASKS["binary"]), allow_nan=False))
    assert found["images"] == 60
    assert found["groups"] == 30
    assert sum(part["images"] for part in found["splits"].values()) == 60
    assert sum(part["classes"]["melanoma"] for part in found["splits"].values()) == 20
    assert sum(part["diagnoses"]["nv"] for part in found["splits"].values()) == 40
    assert found["image_size"] == {"width": [16, 40], "height": [9, 12]}
    assert found["problems"]["count"] == 25
    assert len(found["problems"]["first"]) == 20
    assert found["split_check"]["groups_shared"] == []
    assert (found["licence"], found["clinical"], found["notes"]) == ("CC0", True, ["a note"])


def test_the_split_table_has_every_image(samples, tmp_path):
    dataset = Dataset("folder", assign_splits(samples, 0))
    write_split_csv(dataset, tmp_path / "split.csv")
    with (tmp_path / "split.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["image_id", "group", "split"]
    assert rows[1:] == [[s.id, s.group, s.split] for s in dataset.samples]
