"""First-order effects against what rounding one thing alone really does."""

import numpy as np
import onnx_ir as ir
import torch
from onnx_graphs import Builder

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.quantization.evidence import Evidence, gather
from melanoma_edge.quantization.executor import Batches, run
from melanoma_edge.quantization.fake import hooks
from melanoma_edge.quantization.quantize import scheme_of
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.sensitivity import sensitivity

SIZE = 12
SPEC = Preprocessing(SIZE)
IMAGES = np.random.default_rng(0).integers(0, 256, (24, SIZE, SIZE, 3), np.uint8)


def network() -> ir.Model:
    """A stem whose output is rounded coarsely, since one channel of it is a hundred times larger than the others."""
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Relu", b.conv(b.image, 6, 3))
    x = b.op("Relu", b.conv(x, 12))
    x = b.op("Add", b.conv(x, 12), x)
    return b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))


def measured() -> tuple[Evidence, ir.Model, Scheme, Batches]:
    evidence = gather(network(), IMAGES, SPEC, equalization=False)
    model, scheme = scheme_of(evidence, static.RECIPE)
    return evidence, model, scheme, Batches(IMAGES, SPEC)


def moved(evidence: Evidence, batches: Batches, **how: object) -> np.ndarray:
    """Change of each image's probability when the float program runs with these constants and hooks."""
    with torch.inference_mode():
        before, after = (
            torch.cat([run(evidence.program, b, **k)[evidence.program.output].softmax(1)[:, 1] for b in batches])  # type: ignore[arg-type]
            for k in ({}, how)
        )
    return np.asarray((after - before).double())


def test_effects_are_those_of_rounding_one_value_or_weight() -> None:
    evidence, model, scheme, batches = measured()
    found, simulated = sensitivity(evidence.program, model, scheme, batches), hooks(model, evidence.program, scheme)
    assert set(found.weights) == {str(n.name) for n in model.graph if n.op_type == "Conv"}
    assert set(found.values) == {s.output for s in evidence.program.steps} & set(scheme.activations)
    for name, effect in found.values.items():
        alone = moved(
            evidence,
            batches,
            on_output=lambda step, made, v, name=name: simulated.on_output(step, made, v) if made == name else v,
        )
        assert np.corrcoef(alone, effect)[0, 1] > 0.9 and 0.8 < effect.std() / alone.std() < 1.25
    for step in evidence.program.steps:
        if step.node in found.weights:
            alone = moved(evidence, batches, constants={step.inputs[1]: simulated.constants[step.inputs[1]]})
            effect = found.weights[step.node]
            assert np.corrcoef(alone, effect)[0, 1] > 0.9 and 0.8 < effect.std() / alone.std() < 1.25


def test_the_batches_do_not_matter_and_nothing_is_changed() -> None:
    evidence, model, scheme, batches = measured()
    before = {name: value.clone() for name, value in evidence.program.constants.items()}
    one = sensitivity(evidence.program, model, scheme, batches)
    other = sensitivity(evidence.program, model, scheme, Batches(IMAGES, SPEC, 5))
    for name, effect in one.values.items():
        np.testing.assert_allclose(effect, other.values[name], atol=1e-6)
    assert all(torch.equal(value, evidence.program.constants[name]) for name, value in before.items())
