"""A trained network, compiled as a user would: its INT8 files must go on deciding as it does, and faster.

tests/networks/meshnet_synthetic.onnx is what `make demo` trained: MeshNet on synthetic lesions at 160 pixels. Latency
has slack for a busy machine: INT8 takes 0.3 (TFLite) and 0.4 (ONNX Runtime) of float's time on a quiet one.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flatbuffer_reader import Reader, held

SLOWEST = 0.8
FLIPS = 3  # of the test images; 0 when this was written


@pytest.fixture(scope="module")
def report(guard_bundle: Path) -> dict[str, Any]:
    return dict(json.loads((guard_bundle / "report.json").read_text()))


def rows(report: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["format"], row["precision"]): row for row in report["artifacts"]}


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_int8_decides_as_float_does(report: dict[str, Any], form: str) -> None:
    row = rows(report)[form, "int8"]
    assert row["flips"] <= FLIPS and abs(row["auc_delta"]) <= 0.001 and row["mean_abs_dp"] <= 0.005


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_int8_is_faster_than_float(report: dict[str, Any], form: str) -> None:
    int8, float32 = (rows(report)[form, p]["latency_ms"]["p50"] for p in ("int8", "float32"))
    assert int8 <= SLOWEST * float32


def test_the_delegate_takes_the_file_whole(report: dict[str, Any]) -> None:
    assert rows(report)["tflite", "int8"]["partitions"] == 1


def test_every_tflite_file_tells_its_normalisation_and_its_classes(guard_bundle: Path) -> None:
    manifest = json.loads((guard_bundle / "manifest.json").read_text())
    files = sorted(guard_bundle.glob("*/*.tflite"))
    assert len(files) == 4  # float32 and int8, of two targets
    for file in files:
        read = Reader(held(file.read_bytes()))
        (graph,) = read.tables(read.root, 3)
        (unit,) = read.tables(read.tables(graph, 2)[0], 4)
        found = [read.floats(read.table(unit, 1), slot) for slot in (0, 1)]
        assert found == [manifest["preprocessing"][key] for key in ("mean", "std")]
        assert zipfile.ZipFile(file).read("labels.txt").decode().split() == manifest["task"]["classes"]


def test_both_runtimes_make_the_same_integers(report: dict[str, Any]) -> None:
    pair = next(p for p in report["agreement"] if p["precision"] == "int8")
    assert pair["flips"] == 0 and pair["max_abs_dp"] < 1e-5
    assert report["build"]["quantization"]["inexact_nodes"] == []
