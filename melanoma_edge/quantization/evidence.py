"""What the calibration images show of a float network: gathered once, for every recipe that is tried on it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.cores import single_threaded
from melanoma_edge.data.preprocess import Scaling
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.affine import LEVELS, Affine
from melanoma_edge.quantization.channels import channel_classes
from melanoma_edge.quantization.equalize import channel_extremes, equalize
from melanoma_edge.quantization.executor import Batches, Images, Program, load
from melanoma_edge.quantization.importance import importance
from melanoma_edge.quantization.placement import place
from melanoma_edge.quantization.prepare import prepare
from melanoma_edge.quantization.ranges import Observation, observe
from melanoma_edge.quantization.rounding import second_moments
from melanoma_edge.quantization.scheme import weighted_nodes
from melanoma_edge.quantization.sensitivity import Sensitivity
from melanoma_edge.quantization.squeeze_excite import close_gates, open_gates
from melanoma_edge.quantization.weights import Weights

IMPORTANCE_IMAGES = 64
ROUNDING_IMAGES = 64


@dataclass(frozen=True)
class Evidence:
    """A prepared float network and what was seen of it.

    images, spec: as `executor.Batches` takes them. gradients: whether observations hold the importance of values. The
    others are filled as they are asked for: observations of values by name, moments of the inputs of Conv and Gemm
    nodes by node name, adaptively rounded weights by node name, means of outputs by value name (see
    `bias.float_means`), and, in lists of one, logits `[N, K]` and the sensitivity of `static`'s scheme.
    """

    model: ir.Model
    program: Program
    images: Images
    spec: Scaling | None
    gradients: bool
    observations: dict[str, Observation] = field(default_factory=dict)
    moments: dict[str, Tensor] = field(default_factory=dict)
    rounded: dict[str, Weights] = field(default_factory=dict)
    means: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    logits: list[NDArray[np.float64]] = field(default_factory=list)
    sensitivity: list[Sensitivity] = field(default_factory=list)


@single_threaded()
def gather(
    model: ir.Model,
    calibration: Images,
    spec: Scaling | None,
    *,
    gradients: bool = True,
    equalization: bool = True,
    progress: Progress = silent,
) -> Evidence:
    """Prepare a network that went through the passes of the phases "clean" and "integer"; `model` is left as it is.

    calibration, spec: images of the training split, and how the network's input is made from them; see
    `executor.Batches`.
    Raises InputError for images of another form, and UnsupportedOperatorError for an operator that the executor does
    not know.
    """
    images = _checked(calibration, spec, model)
    prepared = prepare(model)
    if equalization:
        open_gates(prepared)
        _equalize(prepared, load(prepared), images, spec, progress)
        close_gates(prepared)
    return Evidence(prepared, load(prepared), images, spec, gradients)


def observations(evidence: Evidence, names: Collection[str], progress: Progress = silent) -> Mapping[str, Observation]:
    """Observations of the values in `names`. Raises InputError when the network is not finite on an image."""
    missing = frozenset(names) - evidence.observations.keys()
    if missing:
        batches = Batches(evidence.images, evidence.spec)
        found = observe(evidence.program, batches, missing, gradients=evidence.gradients, progress=progress)
        evidence.observations.update(found)
    return {name: evidence.observations[name] for name in names}


def moments(evidence: Evidence, nodes: Collection[ir.Node], progress: Progress = silent) -> Mapping[str, Tensor]:
    """Second moments of the inputs of Conv and Gemm nodes, by name: see `rounding.second_moments`."""
    missing = [node for node in nodes if str(node.name) not in evidence.moments]
    if missing:
        batches = Batches(evidence.images[:ROUNDING_IMAGES], evidence.spec)
        evidence.moments.update(second_moments(evidence.program, batches, missing, progress))
    return {str(node.name): evidence.moments[str(node.name)] for node in nodes}


def exact_input(spec: Scaling | None) -> Affine | None:
    """Parameters whose integers are the pixels themselves, when the normalisation has one std and one integer mean."""
    if spec is None:
        return None
    means, stds = np.unique(spec.mean), np.unique(spec.std)
    if len(means) == len(stds) == 1 and means[0] == int(means[0]) and 0 <= means[0] <= LEVELS:
        return Affine(float(np.float32(1 / stds[0])), int(means[0]))
    return None


def _equalize(model: ir.Model, program: Program, images: Images, spec: Scaling | None, progress: Progress) -> None:
    """Rescale the channels of `model` in place, for the placement with nothing in float."""
    placement = place(model, image=exact_input(spec), float_head=False, float_nodes=())
    quantized = frozenset(placement.groups) & {step.output for step in program.steps}
    weights = {str(n.inputs[1].name) for n in weighted_nodes(model, placement) if n.inputs[1] is not None}
    weight = importance(program, Batches(images[:IMPORTANCE_IMAGES], spec), values=quantized, weights=weights)
    progress("equalization", 1, 2)
    names = {name for group in channel_classes(model.graph) for name in group.values}
    equalize(model, channel_extremes(program, Batches(images, spec), names), weight, quantized)
    progress("equalization", 2, 2)


def _checked(calibration: Images, spec: Scaling | None, model: ir.Model) -> Images:
    """The images, when they are of the network's input."""
    taken = model.graph.inputs[0].shape
    wanted = None if taken is None or len(taken) != 4 else tuple(taken[1:])
    pixels = calibration.ndim == 4 and calibration.dtype == np.uint8 and spec is not None
    ready = calibration.ndim == 4 and calibration.dtype == np.float32 and spec is None
    sides = calibration.shape[1:] if ready else (*calibration.shape[3:], *calibration.shape[1:3])
    if not (pixels or ready) or not len(calibration) or (wanted is not None and sides != wanted):
        channels, height, width = wanted or ("C", "H", "W")
        layout = f"uint8 [N, {height}, {width}, {channels}]" if spec else f"float32 [N, {channels}, {height}, {width}]"
        raise InputError(
            f"calibration images must be {layout} with N > 0, as the network takes them: found {calibration.dtype} "
            f"{list(calibration.shape)}"
        )
    return calibration
