"""A Softmax at the end is found behind whatever moves data, and logits come in the order of the task."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder, evaluate, op_types

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.export.check import read_network
from melanoma_edge.stages import export

SIZE, CLASSES = 12, 3
OWN = Preprocessing(SIZE, (120.0, 110.0, 100.0), (60.0, 50.0, 40.0))
End = Callable[[Builder, ir.Value], ir.Value]


def saved(folder: Path, end: End, name: str = "net.onnx") -> Path:
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 6, 3))))
    ir.save(b.done(end(b, b.linear(x, CLASSES))), folder / name)
    return folder / name


def answer(path: Path) -> np.ndarray:
    pixels = np.random.default_rng(1).integers(0, 256, (1, 3, SIZE, SIZE)).astype(np.float32)
    mean, std = (np.reshape(v, (1, 3, 1, 1)).astype(np.float32) for v in (OWN.mean, OWN.std))
    return evaluate(ir.load(path), (pixels - mean) / std)


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def _transposed(b: Builder, x: ir.Value) -> ir.Value:
    column = b.op("Transpose", x, perm=[1, 0])
    return b.op("Transpose", b.op("Softmax", column, axis=0), perm=[1, 0])


HIDDEN: dict[str, End] = {
    "plain": lambda b, x: b.op("Softmax", x),
    "log": lambda b, x: b.op("LogSoftmax", x, axis=1),
    "identity": lambda b, x: b.op("Identity", b.op("Identity", b.op("Softmax", x))),
    "reshape": lambda b, x: b.op("Reshape", b.op("Softmax", x, axis=1), b.const([1, CLASSES], np.int64)),
    "cast": lambda b, x: b.op("Cast", b.op("Softmax", x), to=1),
    "transposed": _transposed,
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_softmax_is_cut_off_and_the_probabilities_stay(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, HIDDEN[name])
    expected = answer(saved(tmp_path, lambda b, x: x, "plain.onnx"))
    adopted = export.adopt(tmp_path, path, OWN)
    told = export.facts(adopted)
    assert told.cut is not None and "Softmax" in told.cut
    np.testing.assert_allclose(softmax(answer(export.reference(adopted, path))), softmax(expected), atol=1e-6)
    assert "Softmax" not in str(op_types(ir.load(adopted.folder / export.MODEL)))


def test_a_network_without_one_is_its_own_reference(tmp_path: Path) -> None:
    path = saved(tmp_path, lambda b, x: x)
    adopted = export.adopt(tmp_path, path, OWN)
    assert export.facts(adopted).cut is None
    assert export.reference(adopted, path) == path


def _by_hand(b: Builder, x: ir.Value) -> ir.Value:
    powers = b.op("Exp", x)
    return b.op("Div", powers, b.op("ReduceSum", powers, b.const([1], np.int64)))


REFUSED: dict[str, tuple[End, str]] = {
    "over the batch": (lambda b, x: b.op("Softmax", x, axis=0), "which is not the classes"),
    "computed by hand": (_by_hand, "gives probabilities"),
    "read by another": (lambda b, x: b.op("Add", s := b.op("Softmax", x), b.op("Sub", s, s)), "gives probabilities"),
    "sigmoid": (lambda b, x: b.op("Reshape", b.op("Sigmoid", x), b.const([1, CLASSES], np.int64)), "ends in Sigmoid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_probabilities_that_cannot_be_cut_off_are_refused(name: str, tmp_path: Path) -> None:
    end, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        export.adopt(tmp_path, saved(tmp_path, end), OWN)


def test_logits_are_put_in_order_in_the_reference_and_in_the_graph(tmp_path: Path) -> None:
    path = saved(tmp_path, lambda b, x: b.op("Softmax", x))
    plain = answer(saved(tmp_path, lambda b, x: x, "plain.onnx"))
    adopted = export.adopt(tmp_path, path, OWN, (2, 0, 1))
    np.testing.assert_array_equal(answer(export.reference(adopted, path)), plain[:, [2, 0, 1]])
    graph = ir.load(adopted.folder / export.MODEL)
    assert op_types(graph).count("Gemm") == 1, "the last layer itself is in another order"
    pixels = np.random.default_rng(1).integers(0, 256, (1, 3, SIZE, SIZE)).astype(np.float32)
    np.testing.assert_allclose(evaluate(graph, (pixels - 128) / 128), plain[:, [2, 0, 1]], rtol=1e-5, atol=1e-5)


def test_a_network_may_read_its_softmax_where_it_is_not_the_end(tmp_path: Path) -> None:
    path = saved(tmp_path, lambda b, x: b.op("Mul", b.op("Softmax", x), b.const(4.0)))
    assert read_network(path).cut is None
