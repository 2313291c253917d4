import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from onnx_graphs import Builder, evaluate, networks

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import passes
from melanoma_edge.quantization.executor import Batches, load, run


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
