"""Walks the table: every operator does in torch, in TFLite and in 8 bits what ONNX Runtime does, and has the algebra
that its file states."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from onnx_graphs import Builder, dims, evaluate, image_for
from operator_cases import cases, graph_of, last
from small_network import IMAGES, SPEC, run_ort
from tflite_file import partitions, run
from torch import Tensor

from melanoma_edge import formats, operators
from melanoma_edge.export.emit import emit, to_bytes
from melanoma_edge.quantization.executor import load
from melanoma_edge.quantization.executor import run as run_torch
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.recipe import Recipe

TABLE, CASES = operators.table(), cases()
NAMES = sorted(CASES)
SEEDS = range(6)
PLAIN = Recipe("plain", "minmax", False, False, False, 0, False, False)
STEPS = 8  # integers by which what is not exact may differ


def test_every_operator_has_cases() -> None:
    assert set(CASES) == set(TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_torch_computes_what_onnx_runtime_does(name: str) -> None:
    for seed in SEEDS:
        model = graph_of(CASES[name], seed)
        assert last(model).op_type == name
        batch = np.random.default_rng(seed).normal(size=(3, *dims(model.graph.inputs[0])[1:])).astype(np.float32)
        program = load(model)
        found = run_torch(program, torch.from_numpy(batch))[program.output].numpy()
        assert_close(found, np.concatenate([evaluate(model, batch[i : i + 1]) for i in range(3)]))


@pytest.mark.parametrize("name", NAMES)
def test_tflite_computes_what_onnx_runtime_does(name: str) -> None:
    """Both of TFLite's sets of kernels, to the bit where an element is one operation; XNNPACK takes every operator."""
    for seed in SEEDS:
        model = graph_of(CASES[name], seed)
        if TABLE[name].fuses and seed % 2:
            model = clamped(model)
        image, data = image_for(model, seed), to_bytes(model, name="test")
        expected = evaluate(model, image)
        for delegate in (True, False):
            found = run(data, image, delegate=delegate)
            assert found.shape == expected.shape
            assert_close(found, expected)
        if all(TABLE[n.op_type].exact in ("copy", "element") for n in model.graph):
            np.testing.assert_array_equal(run(data, image), expected)
        assert partitions(data)[1] == ()


def clamped(model: ir.Model) -> ir.Model:
    node = ir.node("Relu", list(model.graph.outputs))
    model.graph.append(node)
    node.outputs[0].type, node.outputs[0].shape = model.graph.outputs[0].type, model.graph.outputs[0].shape
    model.graph.outputs[0].name, node.outputs[0].name = "clamped", "logits"
    model.graph.outputs[:] = node.outputs
    return model


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("name", NAMES)
def test_8_bit_files_make_the_same_integers(name: str, tmp_path: Path) -> None:
    """Between layers: in 8 bits where every runtime has a kernel, else in float; to the bit unless told otherwise."""
    for seed in range(2):
        model, tested = in_a_network(CASES[name], seed)
        quantized, report = quantize(model, IMAGES, SPEC, PLAIN)
        assert (tested in report.integer_nodes) == (TABLE[name].kernel.everywhere or TABLE[name].bounds is not None)
        emit(quantized, tmp_path / "m.tflite", name="m")
        lite = formats.load(tmp_path / "m.tflite", SPEC)
        images = np.random.default_rng(9).integers(0, 256, (20, *IMAGES.shape[1:]), np.uint8)
        ours = np.concatenate([lite(image[np.newaxis]) for image in images])
        theirs = run_ort(quantized, images, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
        assert tested not in report.inexact_nodes or TABLE[name].exact == "own" or tested in report.integer_nodes
        apart = 0.0 if not report.inexact_nodes else STEPS * report.tensors[str(model.graph.outputs[0].name)].scale
        assert np.abs(ours - theirs).max() <= apart
        assert partitions((tmp_path / "m.tflite").read_bytes())[1] == ()


def in_a_network(case: Callable[[Builder, ir.Value], ir.Value], seed: int) -> tuple[ir.Model, str]:
    """The operator between layers, and the name of its node."""
    b = Builder((1, 3, SPEC.size, SPEC.size), np.random.default_rng(seed))
    x = case(b, b.conv(b.image, 4, 3, strides=[3, 3]))
    node = x.producer()
    assert node is not None
    node.name = "tested"
    if len(dims(x)) == 4:
        x = b.conv(x, 4)
    return b.done(b.linear(x if len(dims(x)) == 2 else b.op("Flatten", x), 2)), "tested"


class Applied:
    """An operator with random operands, which may be changed."""

    def __init__(self, name: str, seed: int) -> None:
        model = graph_of(CASES[name], seed)
        node, step = last(model), load(model).steps[-1]
        constants = load(model).constants
        rng = np.random.default_rng(seed)
        shapes = [None if v is None else dims(v) for v in node.inputs]
        self.count = len(operators.data(node))
        self.apply = step.apply
        self.inputs: list[Tensor | None] = [
            constants.get(value, None if shape is None else torch.from_numpy(rng.normal(size=shape).astype(np.float32)))
            for value, shape in zip(step.inputs, shapes, strict=True)
        ]
        self.node = node
        self.result = self()

    def __call__(self, change: Callable[[Tensor], Tensor] = lambda t: t, *, only: int | None = None) -> Tensor:
        """The result with all data changed, or one operand."""
        changed = range(self.count) if only is None else (only,)
        return self.apply([change(v) if v is not None and i in changed else v for i, v in enumerate(self.inputs)])


def is_homogeneous(applied: Applied) -> bool:
    return torch.allclose(applied(lambda t: 3 * t), 3 * applied.result, rtol=1e-4, atol=1e-5)


def is_product(applied: Applied) -> bool:
    """In each operand, so that a quotient is none."""
    first, second = (applied(lambda t: 3 * t, only=i) for i in (0, 1))
    wanted = 3 * applied.result
    return applied.count == 2 and all(torch.allclose(v, wanted, rtol=1e-4, atol=1e-5) for v in (first, second))


def moves(applied: Applied) -> bool:
    """Whether it makes no difference if a function of each element, of which 0 stays 0, is applied before or behind."""
    return torch.equal(applied(lambda t: -t * t * t), -applied.result * applied.result * applied.result)


def keeps_order(applied: Applied) -> bool:
    first = applied.inputs[0]
    return first is not None and applied.count == 1 and torch.equal(first.flatten(), applied.result.flatten())


def is_per_channel(applied: Applied) -> bool:
    first = applied.inputs[0]
    assert first is not None
    if first.ndim != applied.result.ndim or first.shape[1] != applied.result.shape[1]:
        return False
    for channel in range(first.shape[1]):
        moved = first.clone()
        moved[:, channel] += 10
        changed = (
            (applied.apply([moved, *applied.inputs[1:]]) != applied.result).reshape(*first.shape[:2], -1).any(2).any(0)
        )
        if changed.any() and torch.nonzero(changed).flatten().tolist() != [channel]:
            return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_the_algebra_is_what_the_table_states(name: str) -> None:
    """Both ways: what is stated holds in every case, and what holds in every case is stated."""
    applied = [Applied(name, seed) for seed in range(12)]
    operator = TABLE[name]
    assert operator.homogeneous == all(map(is_homogeneous, applied))
    assert operator.moves == all(map(moves, applied))
    assert operator.keeps_order == all(map(keeps_order, applied))
    if not operator.weighted:
        assert operator.per_channel == all(map(is_per_channel, applied))
    if operator.exact == "element":
        assert operator.product == all(map(is_product, applied))
    for one in applied if operator.bounds else ():
        low, high = operators.clamp_bounds(one.node) or (0.0, 0.0)
        assert torch.equal(one.result, one.inputs[0].clamp(low, high))  # type: ignore[union-attr]


def test_versions_are_stated_once() -> None:
    stated = [name for operator in TABLE.values() for name in operator.tflite]
    assert sorted(stated) == sorted(set(stated)) and list(pairwise(TABLE)) == list(pairwise(sorted(TABLE)))
