"""Adaptive rounding: each weight up or down so that the layer's output changes least, not the weight itself.

Nagel et al. (AdaRound, arXiv:2004.10568, section 3) show that the task loss asks for the rounding of least d' H d for
each output channel, d being the change of its weights and H the second moments of the layer's inputs, and relax that
problem. Here it is solved as it stands, by coordinate descent, for several scales of each channel. Neighbouring pixels
of an early feature map are almost equal, so the errors of a 3 x 3 depthwise filter cancel or add up: rounding to
nearest leaves that to chance.
"""

import math
from collections.abc import Sequence

import numpy as np
import onnx_ir as ir
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.cores import side_by_side
from melanoma_edge.operators._window import padding
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.affine import SMALLEST_SCALE
from melanoma_edge.quantization.executor import Batches, Program, Step, run
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.weights import LARGEST

SHRINKS = (1.0, 0.97, 0.94, 0.91, 0.88, 0.85)  # of max |w| / 127: finer steps, at the price of clipping the largest
NARROW = 64  # weights a channel up to which finer steps are tried; with more, the best is the first
SWEEPS = 4  # of coordinate descent; most of the gain is in the first
POSITIONS = 24  # output positions taken along either side of a feature map


def second_moments(
    program: Program, batches: Batches, nodes: Sequence[ir.Node], progress: Progress = silent
) -> dict[str, Tensor]:
    """What the weights of each Conv or Gemm in `nodes` multiply: mean of x x', float32 `[G, I, I]` for G groups with I
    weights an output channel, by node name, over images and a grid of positions. Every image counts alike: it is taken
    in units of its own energy, so that no outlier decides.
    """
    wanted = {str(node.name): node for node in nodes}

    def look(batch: Tensor) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = {}

        def on_input(step: Step, name: str, value: Tensor) -> Tensor:
            if step.node in wanted and name == step.inputs[0]:
                patches = _patches(wanted[step.node], value)  # [N, G, I, L]
                moments = patches @ patches.transpose(2, 3) / patches.shape[-1]
                energy = moments.diagonal(dim1=2, dim2=3).sum((1, 2))
                seen[step.node] = torch.einsum("ngij,n->gij", moments, 1 / energy.clamp(min=1e-30))
            return value

        with torch.inference_mode():
            run(program, batch, on_input=on_input)
        return seen

    found: dict[str, Tensor] = {}
    with side_by_side() as workers:
        for done, seen in enumerate(workers.map(look, batches), 1):
            found = {name: found[name] + part if name in found else part for name, part in seen.items()}
            progress("second moments", done, len(batches))
    return found


def round_adaptively(
    weight: NDArray[np.float32], scales: NDArray[np.float32], moments: Tensor
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values like `weight` `[C, ...]` and float32 scales `[C]` of least expected squared output error.

    scales: those that reach the largest weight; finer ones are tried. moments: `[G, I, I]`. Never worse
    than rounding to nearest with `scales`.
    """
    flat = torch.tensor(weight.reshape(len(weight), -1), dtype=torch.float64)
    best, kept, integers = torch.full((len(flat),), torch.inf, dtype=torch.float64), torch.from_numpy(scales), flat
    for shrink in SHRINKS if flat.shape[1] <= NARROW else SHRINKS[:1]:
        tried = torch.from_numpy(np.maximum(scales * np.float32(shrink), np.float32(SMALLEST_SCALE)))
        values, cost = _descend(flat, tried.double(), moments.double(), LARGEST)
        better = cost < best
        best = torch.where(better, cost, best)
        kept, integers = torch.where(better, tried, kept), torch.where(better[:, None], values, integers)
    return integers.to(torch.int8).numpy().reshape(weight.shape), kept.numpy()


def round_on_grid(weight: NDArray[np.float32], scales: NDArray[np.float64], moments: Tensor) -> NDArray[np.float32]:
    """`weight` `[C, ...]` on the grid of `scales` `[C]`, with as many bits as that takes; otherwise as above."""
    flat, steps = torch.tensor(weight.reshape(len(weight), -1), dtype=torch.float64), torch.from_numpy(scales)
    values, _ = _descend(flat, steps, moments.double(), math.inf)
    return np.asarray((values * steps[:, None]).numpy().reshape(weight.shape), np.float32)


def _descend(weight: Tensor, scales: Tensor, moments: Tensor, largest: float) -> tuple[Tensor, Tensor]:
    """Integers `[C, I]` from nearest rounding by coordinate descent, and their cost `[C]`."""
    groups, width = moments.shape[0], weight.shape[1]
    step = scales.reshape(groups, -1, 1)
    target = weight.reshape(groups, -1, width)
    values = (target / step).round().clamp(-largest, largest)
    slope = (values * step - target) @ moments  # half the gradient of the cost
    curvature = moments.diagonal(dim1=1, dim2=2)
    for _ in range(SWEEPS):
        moved = False
        for i in range(width):
            size, bend = step[..., 0], curvature[:, None, i]
            wish = -slope[..., i] / (bend * size).clamp(min=1e-300)
            move = wish.round().clamp(-1, 1)
            move = (values[..., i] + move).clamp(-largest, largest) - values[..., i]
            if move.any():
                moved = True
                values[..., i] += move
                slope += (move * size)[..., None] * moments[:, None, i]
        if not moved:
            break
    error = values * step - target
    return values.reshape(weight.shape), (error * (error @ moments)).sum(2).flatten()


def _patches(node: ir.Node, value: Tensor) -> Tensor:
    """The inputs that meet the weights of an output channel, `[N, G, I, L]` at L positions."""
    if array(node.inputs[1]).ndim == 2:
        return value[:, None, :, None]
    channels, height, width = array(node.inputs[1]).shape[1:]
    dilation, stride = (list(node.attributes.get_ints(name, [1, 1]) or ()) for name in ("dilations", "strides"))
    padded = F.pad(value, padding(node, (height, width), stride, dilation)(value))
    reach = (dilation[0] * (height - 1) + 1, dilation[1] * (width - 1) + 1)
    outputs = [(padded.shape[2 + axis] - reach[axis]) // stride[axis] + 1 for axis in (0, 1)]
    apart = (stride[0] * -(-outputs[0] // POSITIONS), stride[1] * -(-outputs[1] // POSITIONS))
    columns = F.unfold(padded, (height, width), (dilation[0], dilation[1]), 0, apart)
    group = int(node.attributes.get_int("group", 1) or 1)
    return columns.reshape(len(value), group, channels * height * width, -1)
