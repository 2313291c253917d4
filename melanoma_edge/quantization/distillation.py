"""Distillation: the integers learn to answer as the float network does, on calibration images without their labels.

The integer graph runs with fake quantisation and straight-through gradients (Bengio et al., arXiv:1308.3432); weights,
in units of their own steps, and biases follow the float network's probabilities (Hinton et al., arXiv:1503.02531) and,
as a hint, the features that its last layer reads (Romero et al., arXiv:1412.6550). Scales and placement stay, so the
graph keeps its speed. Images are turned and mirrored: a lesion has no upright.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.data.preprocess import Scaling
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.executor import Batches, Images, Program, run
from melanoma_edge.quantization.fake import constants, hooks
from melanoma_edge.quantization.head import answers, changes
from melanoma_edge.quantization.limits import output_group
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.scheme import Scheme, weighted_nodes
from melanoma_edge.quantization.weights import LARGEST, quantize_bias

RATE = 0.002  # of Adam, in steps of a weight or of an output: most weights never reach another integer
HINT = 0.01
BATCH = 16
PART = 8  # images whose gradients are taken together, parts side by side
JUDGED = 200  # images that tell whether it helped
UNSURE = 0.45  # how far from its integer a weight may start: what rounding decided is not undone at once


@dataclass(frozen=True)
class _Learned:
    """Weights in steps `[C, ...]`, biases in steps of the output `[C]`, by initializer name, and what a step is."""

    weights: Mapping[str, Tensor]
    biases: Mapping[str, Tensor]
    steps: Mapping[str, Tensor]


class _Round(torch.autograd.Function):
    """Nearest integer within int8; the gradient passes."""

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        return value.round().clamp(-LARGEST, LARGEST)

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def distil(
    model: ir.Model,
    program: Program,
    scheme: Scheme,
    images: Images,
    spec: Scaling | None,
    *,
    epochs: int,
    progress: Progress = silent,
) -> Scheme:
    """`scheme`, made for `model`, with other integers in weights and biases; as it is, when those answer no closer to
    the float network on the first `JUDGED` images. Deterministic.

    program: the float network. images, spec: as `executor.Batches` takes them, gone through `epochs` times.
    """
    learned, fixed = _start(model, scheme), constants(model, scheme)
    simulated = hooks(model, program, scheme)
    parameters = [*learned.weights.values(), *learned.biases.values()]
    optimizer = torch.optim.Adam(parameters, lr=RATE, betas=(0.9, 0.99))
    steps, done, rng = epochs * math.ceil(len(images) / BATCH), 0, np.random.default_rng(0)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=RATE / 100)
    features = program.steps[-1].inputs[0]

    def slopes(part: Tensor) -> tuple[Tensor, ...]:
        """Gradients of the sum of the losses of some images."""
        with torch.no_grad():
            exact = run(program, part, keep=[features])
        with torch.enable_grad():
            rough = run(
                program,
                part,
                keep=[features],
                constants={**fixed, **_rounded(learned)},
                on_input=simulated.on_input,
                on_output=simulated.on_output,
            )
            loss = _loss(program.output, features, rough, exact)
        return torch.autograd.grad(loss, parameters)

    with side_by_side() as workers:
        for _ in range(epochs):
            order = rng.permutation(len(images))
            for start in range(0, len(images), BATCH):
                batch = _turned(images[order[start : start + BATCH]], spec, rng)
                parts = list(workers.map(slopes, torch.split(batch, PART)))
                for parameter, found in zip(parameters, zip(*parts, strict=True), strict=True):
                    parameter.grad = torch.stack(found).sum(0) / len(batch)
                optimizer.step()
                decay.step()
                done += 1
                progress("distillation", done, steps)
    judged = Batches(images[:JUDGED], spec, BATCH)
    wanted = answers(program, judged)
    return min(
        scheme,
        _taken(model, scheme, learned),
        key=lambda s: float(np.square(changes(model, s, judged, wanted)).mean()),
    )


def _start(model: ir.Model, scheme: Scheme) -> _Learned:
    weights, biases, steps = {}, {}, {}
    for node in weighted_nodes(model, scheme.placement):
        weight, bias = (str(v.name) if v is not None else "" for v in node.inputs[1:])
        now = scheme.weights[str(node.name)]
        steps[weight] = torch.from_numpy(now.scales).reshape(-1, *[1] * (now.values.ndim - 1))
        integers = torch.from_numpy(now.values.astype(np.float32))
        real = torch.from_numpy(array(node.inputs[1]).copy()) / steps[weight]
        weights[weight] = torch.minimum(torch.maximum(real, integers - UNSURE), integers + UNSURE).requires_grad_()
        steps[bias] = torch.tensor(scheme.activations[output_group(node, scheme.placement)].scale)
        biases[bias] = (torch.from_numpy(array(node.inputs[2]).copy()) / steps[bias]).requires_grad_()
    return _Learned(weights, biases, steps)


def _rounded(learned: _Learned) -> dict[str, Tensor]:
    """Weights as the integers stand for them; biases have so many steps that they are not rounded here."""
    weights = {name: _Round.apply(value) * learned.steps[name] for name, value in learned.weights.items()}
    return {**weights, **{name: value * learned.steps[name] for name, value in learned.biases.items()}}


def _loss(output: str, features: str, rough: Mapping[str, Tensor], exact: Mapping[str, Tensor]) -> Tensor:
    """The sum over a batch."""
    answers = (rough[output].softmax(1) - exact[output].softmax(1)).square().sum()
    mine, wanted = rough[features].flatten(1), exact[features].flatten(1)
    return answers + HINT * ((mine - wanted).square().sum(1) / wanted.square().sum(1).clamp(min=1e-12)).sum()


def _turned(images: Images, spec: Scaling | None, rng: np.random.Generator) -> Tensor:
    """A float batch of images, all turned by the same quarter turns (half turns where they are not square) and mirrored
    or not."""
    rows, columns = (1, 2) if spec is not None else (2, 3)
    quarters = int(rng.integers(4))
    if images.shape[rows] != images.shape[columns]:
        quarters = quarters // 2 * 2
    turned = np.rot90(images, quarters, (rows, columns))
    mirrored = np.flip(turned, columns) if rng.random() < 0.5 else turned
    return next(iter(Batches(np.ascontiguousarray(mirrored), spec, BATCH)))


def _taken(model: ir.Model, scheme: Scheme, learned: _Learned) -> Scheme:
    weights = dict(scheme.weights)
    for node in weighted_nodes(model, scheme.placement):
        source, weight, bias = (str(v.name) if v is not None else "" for v in node.inputs)
        now = weights[str(node.name)]
        values = learned.weights[weight].detach().round().clamp(-LARGEST, LARGEST).to(torch.int8).numpy()
        real = (learned.biases[bias].detach() * learned.steps[bias]).numpy()
        integers = quantize_bias(real, scheme.activations[source].scale, now.scales)
        weights[str(node.name)] = replace(now, values=values, bias=integers)
    return replace(scheme, weights=weights)
