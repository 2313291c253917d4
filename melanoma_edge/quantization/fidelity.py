"""How far each quantised value is from its float original."""

from collections.abc import Iterable

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.quantization.executor import Program, load, run
from melanoma_edge.quantization.fake import hooks
from melanoma_edge.quantization.scheme import Scheme


def signal_to_noise(original: Program, model: ir.Model, scheme: Scheme, batches: Iterable[Tensor]) -> dict[str, float]:
    """Decibels, 10 log10(E[x^2] / E[(x - x')^2]), of each value in integers or on a grid, and of the output, with all
    earlier layers quantised too. `original` runs the float network, `model` is the network that `scheme` was made from.

    A value that is exact, or zero everywhere, is left out.
    """
    program = load(model)
    simulated = hooks(model, program, scheme)
    rounded = scheme.activations.keys() | scheme.grids.steps.keys()
    names = {step.output for step in program.steps if step.output in rounded} | {program.output}

    def look(batch: Tensor) -> dict[str, NDArray[np.float64]]:
        with torch.inference_mode():
            exact = run(original, batch, keep=names)
            rough = run(
                program,
                batch,
                keep=names,
                constants=simulated.constants,
                on_input=simulated.on_input,
                on_output=simulated.on_output,
            )
            return {name: np.array([_energy(exact[name]), _energy(exact[name] - rough[name])]) for name in names}

    power = {name: np.zeros(2) for name in names}
    with side_by_side() as workers:
        for found in workers.map(look, batches):
            power = {name: before + found[name] for name, before in power.items()}
    return {
        name: round(float(10 * np.log10(signal / noise)), 2)
        for name, (signal, noise) in sorted(power.items())
        if signal > 0 and noise > 0
    }


def _energy(value: Tensor) -> float:
    """Sum of squares, in float32 over axis 1 and in double precision over the others."""
    return float(torch.linalg.vector_norm(value, dim=1).square().sum(dtype=torch.float64))
