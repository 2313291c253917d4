"""A trained network on real images gives the figures that its maker states."""

import csv
from pathlib import Path

import numpy as np
import pytest

from melanoma_edge import formats
from melanoma_edge.data.preprocess import Preprocessing, load_pixels
from melanoma_edge.data.task import TASKS
from melanoma_edge.verify import metrics
from melanoma_edge.verify.predictions import predict_split


@pytest.mark.data
@pytest.mark.slow
def test_meshnet_reaches_its_stated_auc(ham10000: Path, networks: Path):
    spec = Preprocessing(160, (127.5,) * 3, (127.5,) * 3)
    with (ham10000 / "HAM10000_metadata.csv").open() as file:
        diagnosis = {row["image_id"]: row["dx"] for row in csv.DictReader(file)}
    with (ham10000 / "splits.csv").open() as file:
        ids = [row["image_id"] for row in csv.DictReader(file) if row["split"] == "test"]
    pixels = np.stack([load_pixels(ham10000 / "images" / f"{image_id}.jpg", spec.size) for image_id in ids])
    task = TASKS["binary"]
    labels = np.array([task.label(diagnosis[image_id]) for image_id in ids])
    network = formats.load(networks / "meshnet_160.onnx", spec)
    got = predict_split(network, pixels, ids=ids, labels=labels, split="test", task=task)
    assert (len(got), int(got.is_melanoma.sum())) == (1507, 171)
    assert metrics.auc(got.is_melanoma, got.p) == pytest.approx(0.874, abs=1e-3)
