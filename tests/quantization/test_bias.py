from dataclasses import replace

import numpy as np
import onnx_ir as ir
import pytest
import torch
from onnx_graphs import Builder
from scipy.stats import trim_mean
from torch import Tensor

from melanoma_edge.quantization.affine import Affine
from melanoma_edge.quantization.bias import TRIMMED, correct, float_means
from melanoma_edge.quantization.executor import Program, Step, load, run
from melanoma_edge.quantization.fake import hooks
from melanoma_edge.quantization.prepare import prepare, set_array
from melanoma_edge.quantization.ranges import observe
from melanoma_edge.quantization.scheme import Scheme, rebias, round_weights, settle

IMAGES = torch.round(torch.rand(12, 3, 10, 10, generator=torch.Generator().manual_seed(0)) * 255 - 128) / 128


def network(seed: int) -> ir.Model:
    b = Builder((1, 3, 10, 10), np.random.default_rng(seed))
    x = b.op("Clip", b.conv(b.image, 8, 3, strides=[2, 2]), b.const(0), b.const(6))
    x = b.op("Relu", b.conv(x, 8, 3, group=8))
    x = b.op("Add", b.conv(x, 8), b.conv(x, 8))
    gate = b.op("Sigmoid", b.conv(b.op("GlobalAveragePool", x), 8))
    x = b.op("Mul", x, gate)
    return prepare(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2)))


def scheme_of(model: ir.Model, program: Program, *, coarse: bool) -> Scheme:
    def look(names: frozenset[str]):  # type: ignore[no-untyped-def]
        return observe(program, [IMAGES], names, gradients=False)

    image = Affine(1 / 128, 128)
    settled = settle(model, look, "minmax", image=image, float_head=True, float_nodes=())
    if coarse:  # a few levels only, so that rounding shifts the means visibly
        activations = {
            name: Affine(a.scale * 12, round(a.zero_point / 12)) if name not in settled.placement.constants else a
            for name, a in settled.activations.items()
        }
        settled = replace(settled, activations=activations)
    return round_weights(model, settled)


def mean_errors(model: ir.Model, scheme: Scheme, means: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    program = load(model)
    simulated = hooks(model, program, scheme)
    found: dict[str, np.ndarray] = {}

    def on_output(step: Step, name: str, value: Tensor) -> Tensor:
        if name in means:
            found[name] = np.abs(trim_mean(_means(value) - means[name], TRIMMED))
        return simulated.on_output(step, name, value)

    run(program, IMAGES, constants=simulated.constants, on_input=simulated.on_input, on_output=on_output)
    return found


def _means(value: Tensor) -> np.ndarray:
    return value.flatten(2).mean(2).double().numpy() if value.ndim > 2 else value.double().numpy()


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_no_mean_error_on_the_calibration_images_grows(seed: int, coarse: bool) -> None:
    model = network(seed)
    program = load(model)
    scheme = scheme_of(model, program, coarse=coarse)
    means = float_means(program, IMAGES.split(5))
    before = mean_errors(model, scheme, means)
    for name, bias in correct(model, program, scheme, means, IMAGES.split(5)).items():
        set_array(model.graph.initializers[name], bias)
    corrected = rebias(model, round_weights(model, scheme))
    after = mean_errors(model, corrected, means)
    for step in program.steps:
        if step.output in means:
            steps = np.zeros(1)
            if step.node in corrected.weights:
                weights = corrected.weights[step.node]
                steps = scheme.activations[step.inputs[0]].scale * weights.scales
                np.testing.assert_array_equal(weights.values, scheme.weights[step.node].values)
            elif step.node in corrected.grids.weights:
                steps = corrected.grids.weights[step.node].steps
            assert (after[step.output] <= 0.5 * steps + 1e-5).all(), step
    assert sum(e.sum() for e in after.values()) < sum(e.sum() for e in before.values())


def test_float_means_do_not_depend_on_the_batches() -> None:
    program = load(network(0))
    one, many = float_means(program, [IMAGES]), float_means(program, IMAGES.split(5))
    assert one.keys() == many.keys() and len(one) == 6
    for name, mean in one.items():
        np.testing.assert_allclose(mean, many[name], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(mean, _means(run(program, IMAGES, keep={name})[name]), rtol=1e-5, atol=1e-6)


def test_one_image_that_clips_does_not_move_the_bias() -> None:
    model = network(0)
    program = load(model)
    scheme = scheme_of(model, program, coarse=False)
    wild = torch.cat([IMAGES, IMAGES[:1] * 50])
    calm = correct(model, program, scheme, float_means(program, [IMAGES]), [IMAGES])
    kept = correct(model, program, scheme, float_means(program, [wild]), [wild])
    scale = max(float(np.abs(run(program, IMAGES)["logits"]).max()), 1.0)
    assert all(np.abs(kept[name] - bias).max() < 0.05 * scale for name, bias in calm.items())
