"""How far each rounding alone moves each calibration image's answer, weights and activations apart.

To first order a change of a tensor moves the probability by its product with the gradient (the task loss of
arXiv:2004.10568, section 3, without the quadratic term). One backward pass an image therefore gives the effect of every
rounding at once, with its sign, so that the effect of leaving out any set of them follows by adding up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from scipy.stats import trim_mean
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.bias import TRIMMED
from melanoma_edge.quantization.executor import Batches, Program, Step, run
from melanoma_edge.quantization.fake import constants, fake_quantize
from melanoma_edge.quantization.importance import probability_spread
from melanoma_edge.quantization.scheme import Scheme, weighted_nodes

Effects = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Sensitivity:
    """Change of each image's probability `[N]`, its mean taken out as bias correction does: by rounding the weights of
    a node (by node name), and by rounding a value (by value name).
    """

    weights: Effects
    values: Effects


def sensitivity(
    program: Program, model: ir.Model, scheme: Scheme, batches: Batches, progress: Progress = silent
) -> Sensitivity:
    """Measure `scheme`, made for `model`, whose float program is `program`; images are taken one at a time."""
    nodes = {str(n.inputs[1].name): str(n.name) for n in weighted_nodes(model, scheme.placement) if n.inputs[1]}
    rough = constants(model, scheme)
    changes = {name: rough[name] - program.constants[name] for name in nodes}
    weights: dict[str, list[float]] = {node: [] for node in nodes.values()}
    values: dict[str, list[float]] = {}

    def look(image: Tensor) -> tuple[dict[str, float], dict[str, float]]:
        slopes, found = _slopes(program, scheme, image, changes)
        by_weights = {node: float((slopes[name] * changes[name]).sum()) for name, node in nodes.items()}
        errors = {name: fake_quantize(value, scheme.activations[name]) - value for name, value in found.items()}
        return by_weights, {name: float((slopes[name] * error).sum()) for name, error in errors.items()}

    total = len(batches.images)
    with side_by_side() as workers:
        images = (image for batch in batches for image in torch.split(batch, 1))
        for done, (by_weights, by_values) in enumerate(workers.map(look, images), 1):
            for node, effect in by_weights.items():
                weights[node].append(effect)
            for name, effect in by_values.items():
                values.setdefault(name, []).append(effect)
            progress("sensitivity", done, total)
    return Sensitivity(_centred(weights), _centred(values))


def _slopes(
    program: Program, scheme: Scheme, image: Tensor, changes: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients of one image's probability by weights and quantised values, and those values."""
    found: dict[str, Tensor] = {}

    def on_output(step: Step, name: str, value: Tensor) -> Tensor:
        if name in scheme.activations:
            found[name] = value if value.requires_grad else value.requires_grad_()
        return value

    trial = {name: program.constants[name].clone().requires_grad_() for name in changes}
    with torch.enable_grad():
        spread = probability_spread(run(program, image, constants=trial, on_output=on_output)[program.output])
        wanted = {**trial, **found}
        slopes = torch.autograd.grad(spread / 2, list(wanted.values()), allow_unused=True)
    known = {name: slope for name, slope in zip(wanted, slopes, strict=True) if slope is not None}
    return known, {name: value.detach() for name, value in found.items() if name in known}


def _centred(effects: Mapping[str, list[float]]) -> Effects:
    return {name: np.array(e) - trim_mean(np.array(e), TRIMMED) for name, e in effects.items()}
