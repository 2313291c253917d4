"""Empirical bias correction (Nagel et al., arXiv:1906.04721, section 4.2), all layers in one pass.

Rounding weights and activations shifts the mean of a layer's outputs. Layer by layer in topological order, with every
earlier layer already corrected, the shift that the calibration images show goes out of the bias.
"""

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from scipy.stats import trim_mean
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.executor import Edge, Program, Step, evaluate, run
from melanoma_edge.quantization.fake import constants, decode, edges, encode, on_grid
from melanoma_edge.quantization.scheme import Scheme
from melanoma_edge.quantization.weights import bias_scales

TRIMMED = 0.1  # share of images left out at either end: on a few, clipped ranges change everything
Means = Mapping[str, NDArray[np.float64]]


def float_means(program: Program, batches: Iterable[Tensor]) -> dict[str, NDArray[np.float64]]:
    """Mean over pixels of every Conv and Gemm output, `[N, C]`, by value name."""

    def look(batch: Tensor) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}

        def on_output(step: Step, name: str, value: Tensor) -> Tensor:
            if step.weighted:
                found[name] = _channel_means(value)
            return value

        with torch.inference_mode():
            run(program, batch, on_output=on_output)
        return found

    with side_by_side() as workers:
        parts = list(workers.map(look, batches))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def correct(
    model: ir.Model,
    program: Program,
    scheme: Scheme,
    means: Means,
    batches: Iterable[Tensor],
    progress: Progress = silent,
) -> dict[str, NDArray[np.float32]]:
    """New biases by initializer name for `model` quantised by `scheme`, over the images that `means` was taken from.

    Weights, scales and placement stay. Float operators are corrected too: they inherit the shift of their inputs. An
    integer bias moves by whole steps of its own scale, so that the mean error of no channel grows. All images pass each
    layer before the next, so memory grows with their number: activations are held as uint8.
    """
    given = constants(model, scheme)
    merged = {**program.constants, **given}
    chunks = [{program.image: batch} for batch in batches]
    corrected: dict[str, NDArray[np.float32]] = {}
    with side_by_side() as workers:
        for index, step in enumerate(program.steps):
            bias = _bias_name(step, program)
            looked = partial(_look, step, merged, _reader(program, scheme), bool(bias))
            results, rough = zip(*workers.map(looked, chunks), strict=True)
            moved = None
            if bias:
                shift = _shift(step, scheme, trim_mean(means[step.output] - np.concatenate(rough), TRIMMED))
                corrected[bias] = (merged[bias].double().numpy() + shift).astype(np.float32)
                moved = torch.from_numpy(shift.astype(np.float32))
            stored = partial(_store, program, scheme, index, moved)
            for _ in workers.map(stored, zip(chunks, results, strict=True)):
                pass
            progress("bias correction", index + 1, len(program.steps))
    return corrected


def _look(
    step: Step, merged: Mapping[str, Tensor], on_input: Edge, means: bool, chunk: Mapping[str, Tensor]
) -> tuple[Tensor, NDArray[np.float64]]:
    """What a step makes of a chunk, with its means over pixels where they are asked for."""
    with torch.inference_mode():
        result = evaluate(step, chunk, merged, on_input)
    return result, _channel_means(result) if means else np.zeros((0, 0))


def _channel_means(value: Tensor) -> NDArray[np.float64]:
    """Mean over pixels, `[N, C]`: summed in double precision by NumPy, of which torch would make a copy first."""
    return np.asarray(value.numpy().mean(tuple(range(2, value.ndim)), dtype=np.float64))


def _bias_name(step: Step, program: Program) -> str:
    """The bias of a Conv or Gemm with constant weights; empty for other steps."""
    weighted = step.weighted and len(step.inputs) == 3
    return step.inputs[2] if weighted and step.inputs[2] in program.constants else ""


def _shift(step: Step, scheme: Scheme, error: NDArray[np.float64]) -> NDArray[np.float64]:
    """The error as the bias can take it: whole steps of integers and grids."""
    if step.node in scheme.grids.weights:
        exact = scheme.grids.weights[step.node].steps
        return np.asarray(np.rint(error / exact) * exact)
    if step.node not in scheme.weights:
        return error
    steps = bias_scales(scheme.activations[step.inputs[0]].scale, scheme.weights[step.node].scales).astype(np.float64)
    return np.rint(error / steps) * steps


def _reader(program: Program, scheme: Scheme) -> Edge:
    quantizes_input, _ = edges(program, scheme)

    def on_input(step: Step, name: str, value: Tensor) -> Tensor:
        if value.dtype == torch.uint8:
            return on_grid(scheme, step, name, decode(value, scheme.activations[name]))
        if quantizes_input(step, name):
            return decode(encode(value, scheme.activations[name]), scheme.activations[name])
        return value

    return on_input


def _store(
    program: Program,
    scheme: Scheme,
    index: int,
    shift: Tensor | None,
    made: tuple[dict[str, Tensor], Tensor],
) -> None:
    """Put what a step made of a chunk, its channels moved by `shift`, into the chunk, and drop what nothing reads."""
    step, (chunk, result) = program.steps[index], made
    _, quantizes_output = edges(program, scheme)
    with torch.inference_mode():
        moved = result if shift is None else result + shift.reshape(-1, *[1] * (result.ndim - 2))
        if quantizes_output(step, step.output):
            chunk[step.output] = encode(moved, scheme.activations[step.output])
        else:
            chunk[step.output] = on_grid(scheme, step, step.output, moved)
    for name in {*step.inputs, step.output}:
        if program.last_use.get(name, -1) <= index:
            chunk.pop(name, None)
