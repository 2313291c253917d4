import math

import numpy as np
import pytest

from melanoma_edge.artifact import read_json, write_json
from melanoma_edge.document import finite
from melanoma_edge.options import Gates
from melanoma_edge.verify.bland_altman import Agreement
from melanoma_edge.verify.certainty import Compared
from melanoma_edge.verify.document import Curve, Verified, VerifyReport, document
from melanoma_edge.verify.gates import judge
from melanoma_edge.verify.operating_point import choose
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions

CLASSES = ("other", "melanoma")
DESIGN_FIELDS = {
    "name", "format", "precision", "runtime", "bytes", "auc", "auc_delta", "sensitivity", "specificity", "flips",
    "flip_rate", "max_abs_dp", "mean_abs_dp", "ece", "brier",
}  # fmt: skip


def made(logits: np.ndarray, broken: bool = False) -> tuple[VerifyReport, Predictions]:
    n = len(logits)
    labels = (np.arange(n) % 3 == 0).astype(np.int64)
    ids = tuple(f"im{i}" for i in range(n))
    reference = Predictions(ids, ("val",) * n, labels, logits, 1, CLASSES)
    moved = logits[:, ::-1].copy() if not broken else np.full_like(logits, np.nan)
    artifact = Predictions(ids, ("val",) * n, labels, moved, 1, CLASSES)
    point = choose("youden", reference)
    parity = compare(reference, artifact, point)
    row = Verified("mel_int8", "tflite", "int8", "ai-edge-litert", "2.3.0", 1234, artifact, parity)
    gates = judge("mel_int8", parity, 1234, Gates())
    return document(point, reference, [row], gates, dict.fromkeys(ids[: n // 2], "mel")), reference


def test_document_has_what_reports_need_and_is_json(tmp_path):
    logits = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    result, reference = made(logits)
    write_json(tmp_path / "verify.json", result)
    assert read_json(tmp_path / "verify.json", VerifyReport) == result
    row = result["artifacts"][0]
    assert set(vars(row)) >= DESIGN_FIELDS
    assert set(vars(row["confusion"])) == set(vars(result["reference"]["confusion"])) == {"tp", "fp", "tn", "fn"}
    assert sum(vars(row["confusion"]).values()) == result["reference"]["n"] == 60
    assert result["reference"]["melanomas"] == 20
    assert result["operating_point"]["chosen_on"] == "val"
    assert len(row["roc"]["fpr"]) == len(row["roc"]["tpr"]) <= 400
    assert {g["name"] for g in result["gates"]} == {"max_auc_drop", "max_flip_rate", "max_sensitivity_drop"}
    assert len(result["flips"]) == row["flips"] > 0
    flip = result["flips"][0]
    assert set(vars(flip)) == {"artifact", "image_id", "label", "diagnosis", "p_reference", "p_artifact", "direction"}
    by_id = {f["image_id"]: f["diagnosis"] for f in result["flips"]}
    assert by_id == {i: "mel" if int(i.removeprefix("im")) < 30 else None for i in by_id}
    assert set(by_id.values()) == {"mel", None}
    p = dict(zip(reference.ids, reference.p, strict=True))
    assert flip["p_reference"] == p[flip["image_id"]]


def test_a_network_that_answers_nan_leaves_nulls_and_failed_gates(tmp_path):
    result, _ = made(np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32), broken=True)
    write_json(tmp_path / "verify.json", result)
    row = result["artifacts"][0]
    assert row["auc"] is row["flip_rate"] is row["ece"] is row["sensitivity"] is None
    assert row["roc"] == Curve((), ())
    assert row["undefined"] == 9
    assert not any(g["passed"] for g in result["gates"])
    assert all(f["p_artifact"] is None and f["p_reference"] is not None for f in result["flips"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_is_not_finite_becomes_none_at_any_depth(value: float):
    agreement = Agreement(value, np.float64(0.5), value, 0.25, ())
    assert finite(agreement) == Agreement(None, 0.5, None, 0.25, ())
    assert type(finite(agreement).low) is float
    assert finite(Compared((1.0, value, 2.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))).reference == (1.0, None, 2.0)


def test_files_of_one_graph_are_compared_with_each_other():
    logits = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    ids, labels = tuple(f"im{i}" for i in range(60)), (np.arange(60) % 3 == 0).astype(np.int64)

    def row(form: str, precision: str, answers: np.ndarray) -> Verified:
        found = Predictions(ids, ("test",) * 60, labels, answers, 1, CLASSES)
        return Verified(f"m_{precision}.{form}", form, precision, "r", "1", 1, found, compare(truth, found, point))

    truth = Predictions(ids, ("test",) * 60, labels, logits, 1, CLASSES)
    point = choose("threshold=0.5", truth)
    moved = logits.copy()
    moved[0] = moved[0, ::-1]
    rows = [row("tflite", "int8", logits), row("onnx", "int8", moved), row("onnx", "float32", logits)]
    (pair,) = document(point, truth, rows, [], {})["agreement"]
    assert pair["files"] == ("m_int8.tflite", "m_int8.onnx") and pair["flips"] == 1
    assert pair["max_abs_dp"] == pytest.approx(np.abs(truth.p - rows[1].predictions.p).max())
