from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from onnx_graphs import Builder, evaluate, networks

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.errors import UnsupportedOperatorError
from melanoma_edge.export import passes
from melanoma_edge.quantize.executor import Batches, load, run
from melanoma_edge.quantize.operators import OPERATORS


def assert_runs_as_onnxruntime(model: ir.Model, images: int = 3) -> None:
    shape = [int(d) for d in model.graph.inputs[0].shape]  # type: ignore[union-attr, arg-type]
    batch = np.random.default_rng(0).normal(size=(images, *shape[1:])).astype(np.float32)
    program = load(model)
    found = run(program, torch.from_numpy(batch))[program.output].numpy()
    expected = np.concatenate([evaluate(model, batch[i : i + 1]) for i in range(images)])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * max(1.0, float(np.abs(expected).max())))


@settings(max_examples=40)
@given(model=networks())
def test_networks_run_as_in_onnxruntime_at_any_batch(model: ir.Model) -> None:
    passes.apply(model, "clean")
    assert_runs_as_onnxruntime(model)
    passes.apply(model, "integer")
    assert_runs_as_onnxruntime(model)


def _gemm(b: Builder) -> ir.Value:
    weight, bias = b.random(5, 4 * 6 * 7), b.random(1, 5)
    return b.op("Gemm", b.op("Flatten", b.image), weight, bias, transB=1, alpha=0.5, beta=2.0)


PER_CHANNEL = [[[2.0]], [[0.5]], [[-1.0]], [[4.0]]]
GRAPHS: dict[str, Callable[[Builder], ir.Value]] = {
    **{k: lambda b, k=k: b.op(k, b.image, b.const(PER_CHANNEL)) for k in ("Add", "Div", "Mul", "Sub")},
    **{
        k: lambda b, k=k: b.op(k, b.image, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1])
        for k in ("AveragePool", "MaxPool")
    },
    "BatchNormalization": lambda b: b.batch_norm(b.image),
    "Clip": lambda b: b.op("Clip", b.image, None, b.const(0.5)),
    "Concat": lambda b: b.op("Concat", b.image, b.op("Relu", b.image), axis=1),
    "Conv": lambda b: b.conv(b.image, 6, 3, group=2, strides=[2, 1], dilations=[1, 2], pads=[0, 2, 1, 1]),
    "Gemm": _gemm,
    "HardSigmoid": lambda b: b.op("HardSigmoid", b.image, alpha=0.3, beta=0.4),
    "LeakyRelu": lambda b: b.op("LeakyRelu", b.image, alpha=0.2),
    "MatMul": lambda b: b.op("MatMul", b.image, b.random(7, 3)),
    "Pad": lambda b: b.op("Pad", b.image, b.const([0, 0, 1, 2, 0, 0, 3, 0], np.int64), b.const(1.5)),
    "ReduceMean": lambda b: b.op("ReduceMean", b.image, b.const([1, -1], np.int64), keepdims=0),
    "Reshape": lambda b: b.op("Reshape", b.image, b.const([1, -1, 6], np.int64)),
    "Softmax": lambda b: b.op("Softmax", b.image, axis=1),
    "Squeeze": lambda b: b.op("Squeeze", b.op("GlobalAveragePool", b.image), b.const([2, -1], np.int64)),
    "Transpose": lambda b: b.op("Transpose", b.image, perm=[0, 2, 3, 1]),
    "Unsqueeze": lambda b: b.op("Unsqueeze", b.image, b.const([1], np.int64)),
}


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_every_operator_runs_as_in_onnxruntime(operator: str) -> None:
    b = Builder((1, 4, 6, 7))
    graph = GRAPHS.get(operator, lambda b: b.op(operator, b.image))
    assert_runs_as_onnxruntime(b.done(graph(b)))


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_automatic_padding(auto_pad: str, stride: int) -> None:
    b = Builder((1, 2, 7, 8))
    weights = b.random(3, 2, 4, 3)
    attributes = {"auto_pad": auto_pad, "kernel_shape": [4, 3], "strides": [stride, stride]}
    assert_runs_as_onnxruntime(b.done(b.op("Conv", b.image, weights, **attributes)))


def test_average_pooling_may_count_its_padding() -> None:
    b = Builder((1, 2, 5, 5))
    x = b.op("AveragePool", b.image, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    assert_runs_as_onnxruntime(b.done(x))


def test_constants_can_be_replaced_and_gradients_flow() -> None:
    b = Builder((1, 2, 4, 4))
    model = b.done(b.op("Flatten", b.op("GlobalAveragePool", b.op("Relu", b.conv(b.image, 3)))))
    program = load(model)
    weight = program.steps[0].inputs[1]
    trial = torch.ones_like(program.constants[weight]).requires_grad_()
    images = torch.rand(5, 2, 4, 4)
    output = run(program, images, constants={weight: trial})[program.output]
    assert not torch.allclose(output, run(program, images)[program.output])
    output.sum().backward()
    assert trial.grad is not None and trial.grad.abs().sum() > 0


def test_values_can_be_kept_and_replaced() -> None:
    b = Builder((1, 2, 3, 3))
    model = b.done(b.op("Flatten", b.op("Relu", b.op("Tanh", b.image))))
    program = load(model)
    tanh = program.steps[0].output
    values = run(program, torch.ones(2, 2, 3, 3), keep={tanh}, on_output=lambda s, n, v: v * 0 if n == tanh else v)
    assert values[tanh].abs().sum() == 0 and values[program.output].abs().sum() == 0


def test_an_unknown_operator_is_named_with_its_node_and_the_known_ones() -> None:
    b = Builder((1, 2, 3, 3))
    model = b.done(b.op("Flatten", b.op("Erf", b.image)))
    next(iter(model.graph)).name = "odd one"
    with pytest.raises(UnsupportedOperatorError, match=r"'Erf'.*'odd one'.*Conv"):
        load(model)


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes"),
    [
        ("Transpose", [], {"perm": [1, 0, 2, 3]}),
        ("Reshape", [[2, -1]], {}),
        ("Concat", ["image"], {"axis": 0}),
        ("Softmax", [], {"axis": 0}),
    ],
)
def test_what_mixes_images_is_refused(operator: str, inputs: list[object], attributes: dict[str, object]) -> None:
    b = Builder((1, 2, 3, 3))
    operands = [b.image if i == "image" else b.const(i, np.int64) for i in inputs]
    with pytest.raises(UnsupportedOperatorError, match=operator):
        load(b.done(b.op(operator, b.image, *operands, **attributes)))


def test_batches_hold_every_image_once_and_normalised() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), np.uint8)
    batches = Batches(images, Preprocessing(4), size=2)
    assert len(batches) == 3
    found = torch.cat(list(batches))
    np.testing.assert_array_equal(found.numpy(), normalize(images, Preprocessing(4)).transpose(0, 3, 1, 2))


@pytest.mark.data
def test_trained_networks_run_as_in_onnxruntime(networks) -> None:  # type: ignore[no-untyped-def]
    for file in sorted(networks.glob("*.onnx")):
        model = ir.load(file)
        passes.apply(model, "clean")
        batch = np.random.default_rng(0).normal(size=(2, 3, 160, 160)).astype(np.float32) / 2
        program = load(model)
        with torch.inference_mode():
            found = run(program, torch.from_numpy(batch))[program.output].numpy()
        session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
        expected = np.concatenate([session.run(None, {"image": batch[i : i + 1]})[0] for i in range(2)])
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
