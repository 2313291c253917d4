"""Golden vectors: what a device may differ by, and what stands in the document."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_edge.artifact import Artifact
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.data.task import TASKS
from melanoma_edge.targets import Contents, web
from melanoma_edge.targets._golden import FLOAT_TOLERANCE, golden, pictures
from melanoma_edge.verify.gates import INEXACT_LOGIT

CONTENTS = Contents("n", "g", (), Preprocessing(32), TASKS["binary"], b"{}", "none")


@pytest.mark.parametrize(
    ("form", "precision", "exact", "inexact"),
    [
        ("tflite", "int8", 0.0, INEXACT_LOGIT),
        ("onnx", "int8", FLOAT_TOLERANCE, INEXACT_LOGIT),
        ("tflite", "float32", FLOAT_TOLERANCE, FLOAT_TOLERANCE),
    ],
)
def test_only_graphs_of_exact_operators_promise_every_bit(form, precision, exact, inexact) -> None:
    file = Artifact(Path(f"m.{form}"), "", form, precision)
    assert web._tolerance(CONTENTS, file) == exact
    assert web._tolerance(replace(CONTENTS, exact=False), file) == inexact


def test_the_document_has_each_picture_with_its_answer_and_the_tolerance() -> None:
    told = golden(32, {"m": (lambda pixels: pixels.mean(axis=(1, 2), dtype=np.float32)[:, :2], 0.5)})
    assert told["tolerance"] == {"m": 0.5}
    shown = {picture.name: picture.pixels(32) for picture in pictures()}
    for row in told["images"]:
        assert row["logits"]["m"] == pytest.approx(shown[row["name"]].mean(axis=(0, 1))[:2], abs=1e-3)
