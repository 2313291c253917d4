"""Operators of files with their kernels, partitions, times and noise."""

from dataclasses import replace
from pathlib import Path

import onnx_ir as ir
import pytest
from small_network import IMAGES, SPEC, mobile

from melanoma_edge.bench.explain import explain
from melanoma_edge.errors import InputError
from melanoma_edge.export.emit import emit
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax
from melanoma_edge.quantization.report import QuantizationReport

RUNS = 5


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, QuantizationReport]:
    """A folder with m.tflite and m.onnx, of a network whose first two nodes stay in float."""
    folder = tmp_path_factory.mktemp("made")
    model = mobile()
    kept = tuple(str(n.name) for n in list(model.graph)[:2])
    quantized, report = quantize(model, IMAGES, SPEC, replace(minmax.RECIPE, float_nodes=kept))
    ir.save(quantized, folder / "m.onnx")
    emit(quantized, folder / "m.tflite", name="m")
    return folder, report


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx"])
def test_every_operator_has_its_share_and_its_noise(made: tuple[Path, QuantizationReport], name: str) -> None:
    folder, report = made
    found = explain(folder / name, report.signal_to_noise, runs=RUNS)
    assert found.file == name and found.milliseconds > 0
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    assert all(row.milliseconds >= 0 and row.kernel for row in found.rows)
    told = {row.output.removesuffix("_quantized") for row in found.rows if row.signal_to_noise is not None}
    assert len(told) >= len(report.signal_to_noise) - 3


def test_tflite_operators_tell_their_numbers_and_partition(made: tuple[Path, QuantizationReport]) -> None:
    rows = explain(made[0] / "m.tflite", {}, runs=RUNS).rows
    convolutions = [row for row in rows if row.operator == "CONV_2D"]
    assert convolutions[0].kernel == "XNNPACK float32" and convolutions[1].kernel == "XNNPACK int8"
    assert {row.partition for row in rows} == {0}
    assert all(row.signal_to_noise is None for row in rows)


def test_onnx_operators_are_those_that_the_runtime_made(made: tuple[Path, QuantizationReport]) -> None:
    rows = explain(made[0] / "m.onnx", {}, runs=RUNS).rows
    assert {"QLinearConv", "QLinearMul"} <= {row.operator for row in rows}
    assert not {"DequantizeLinear"} & {row.operator for row in rows[3:-4]}


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"onnx and \.tflite"):
        explain(tmp_path / "m.safetensors", {})
