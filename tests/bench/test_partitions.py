from pathlib import Path

import numpy as np
import pytest
from onnx_graphs import Builder

from melanoma_edge.bench.partitions import Partitions, count, partitions
from melanoma_edge.errors import InputError
from melanoma_edge.export.emit import emit


def node(name: str, inputs: list[int], outputs: list[int]) -> dict:
    return {"op_name": name, "inputs": np.array(inputs), "outputs": np.array(outputs)}


def test_operators_between_two_partitions_are_outside():
    # 0 -conv-> 1 -swish-> 2 -conv-> 3 -relu-> 4, weights at 10 and 11; the swish is left to the interpreter.
    nodes = [
        node("CONV_2D", [0, 10], [1]),
        node("HARD_SWISH", [1], [2]),
        node("CONV_2D", [2, 11], [3]),
        node("RELU", [3], [4]),
        node("DELEGATE", [0, 10], [1]),
        node("DELEGATE", [2, 11], [4]),
    ]
    assert count(nodes) == Partitions(2, 4, ("HARD_SWISH",))


def test_branches_within_a_partition_are_inside():
    nodes = [
        node("CONV_2D", [0], [1]),
        node("LOGISTIC", [1], [2]),
        node("MUL", [1, 2], [3]),
        node("SOFTMAX", [3], [4]),
        node("DELEGATE", [0], [3, 1]),
    ]
    assert count(nodes) == Partitions(1, 4, ("SOFTMAX",))


def test_without_a_delegate_everything_is_outside():
    assert count([node("CONV_2D", [0], [1])]) == Partitions(0, 1, ("CONV_2D",))


def test_a_float_network_is_one_partition(tmp_path: Path):
    b = Builder((1, 3, 8, 8))
    x = b.op("Relu", b.conv(b.image, 4, 3))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    emit(model, tmp_path / "m.tflite", name="m")
    got = partitions(tmp_path / "m.tflite")
    assert got is not None
    assert (got.partitions, got.outside) == (1, ())
    assert got.operators >= 3


def test_an_interpreter_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("melanoma_edge.runtime.litert.allocate", lambda path: object())
    assert partitions(tmp_path / "m.tflite") is None


def test_a_corrupt_file_is_bad_input(tmp_path: Path):
    (tmp_path / "m.tflite").write_bytes(b"no model")
    with pytest.raises(InputError, match="is not a model"):
        partitions(tmp_path / "m.tflite")
