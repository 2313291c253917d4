"""One float ONNX graph to one QDQ ONNX graph, decided once for every runtime."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantize.affine import LEVELS, Affine
from melanoma_edge.quantize.bias import correct, float_means
from melanoma_edge.quantize.channels import channel_classes
from melanoma_edge.quantize.equalize import channel_extremes, equalize
from melanoma_edge.quantize.executor import Batches, Program, load
from melanoma_edge.quantize.fidelity import signal_to_noise
from melanoma_edge.quantize.importance import importance
from melanoma_edge.quantize.placement import Placement, place
from melanoma_edge.quantize.prepare import array, prepare, set_array
from melanoma_edge.quantize.ranges import Observation, observe
from melanoma_edge.quantize.recipe import Recipe
from melanoma_edge.quantize.rounding import round_adaptively, second_moments
from melanoma_edge.quantize.scheme import Scheme, rebias, round_weights, settle, weighted_nodes
from melanoma_edge.quantize.write import write

CORRECTION_IMAGES = 128  # more do not change the means that bias correction uses
FIDELITY_IMAGES = 32
IMPORTANCE_IMAGES = 64
ROUNDING_IMAGES = 64


@dataclass(frozen=True)
class QuantizationReport:
    """What was decided and how well it holds on the calibration images.

    tensors: scale and zero point (uint8) by value name. float_nodes: operators left in float. signal_to_noise: decibels
    by value name.
    """

    recipe: Mapping[str, Any]
    images: int
    seconds: float
    tensors: Mapping[str, Affine]
    integer_nodes: tuple[str, ...]
    float_nodes: tuple[str, ...]
    signal_to_noise: Mapping[str, float]

    def describe(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return asdict(self)


def quantize(
    model: ir.Model,
    calibration: NDArray[np.uint8],
    spec: Preprocessing,
    recipe: Recipe,
    *,
    progress: Progress = silent,
) -> tuple[ir.Model, QuantizationReport]:
    """Quantize a float network that went through the passes of the phases "clean" and "integer".

    calibration: uint8 `[N, S, S, 3]` images from the training split. spec: how the network's input is made from them;
    (pixel - 128) / 128 is quantised without loss. Returns the QDQ model and the report; `model` is left as it is.
    Raises InputError for images of another form, names of nodes that are not there, a network that is not finite on an
    image; UnsupportedOperatorError for an operator that the executor does not know.
    """
    started = time.monotonic()
    images = _checked(calibration, model)
    prepared = prepare(model)
    _check_names(prepared, recipe)
    program = load(prepared)
    if recipe.equalization:
        _equalize(prepared, program, images, spec, recipe)
        program = load(prepared)
    placement, activations = _settle(prepared, program, images, spec, recipe, progress)
    scheme = round_weights(prepared, placement, activations)
    if recipe.adaptive_rounding:
        scheme = _round(prepared, program, scheme, Batches(images[:ROUNDING_IMAGES], spec), progress)
    if recipe.bias_correction:
        scheme = _correct(prepared, program, scheme, Batches(images[:CORRECTION_IMAGES], spec), progress)
    fidelity = signal_to_noise(program, prepared, scheme, Batches(images[:FIDELITY_IMAGES], spec))
    nodes = [str(n.name) for n in prepared.graph]
    report = QuantizationReport(
        recipe=recipe.describe(),
        images=len(images),
        seconds=round(time.monotonic() - started, 2),
        tensors=dict(sorted(activations.items())),
        integer_nodes=tuple(n for n in nodes if n in placement.integer),
        float_nodes=tuple(n for n in nodes if n not in placement.integer),
        signal_to_noise=fidelity,
    )
    return write(prepared, scheme), report


def exact_input(spec: Preprocessing) -> Affine | None:
    """Parameters whose integers are the pixels themselves, when the normalisation has one std and one integer mean."""
    mean, std = spec.mean[0], spec.std[0]
    uniform = set(spec.mean) == {mean} and set(spec.std) == {std}
    if uniform and mean == int(mean) and 0 <= mean <= LEVELS and std > 0:
        return Affine(float(np.float32(1 / std)), int(mean))
    return None


def _equalize(
    model: ir.Model, program: Program, images: NDArray[np.uint8], spec: Preprocessing, recipe: Recipe
) -> None:
    """Rescale the channels of `model` in place."""
    placement = place(model, image=exact_input(spec), float_head=recipe.float_head, float_nodes=recipe.float_nodes)
    made = {step.output for step in program.steps}
    quantized = frozenset(placement.groups) & made
    weights = {str(n.inputs[1].name) for n in weighted_nodes(model, placement) if n.inputs[1] is not None}
    weight = importance(program, Batches(images[:IMPORTANCE_IMAGES], spec), values=quantized, weights=weights)
    names = {name for group in channel_classes(model.graph) for name in group.values}
    equalize(model, channel_extremes(program, Batches(images, spec), names), weight, quantized)


def _settle(
    model: ir.Model,
    program: Program,
    images: NDArray[np.uint8],
    spec: Preprocessing,
    recipe: Recipe,
    progress: Progress,
) -> tuple[Placement, dict[str, Affine]]:
    def look(names: frozenset[str]) -> Mapping[str, Observation]:
        gradients = recipe.ranges == "fisher"
        return observe(program, Batches(images, spec), names, gradients=gradients, progress=progress)

    return settle(
        model,
        look,
        recipe.ranges,
        image=exact_input(spec),
        float_head=recipe.float_head,
        float_nodes=recipe.float_nodes,
    )


def _correct(model: ir.Model, program: Program, scheme: Scheme, images: Batches, progress: Progress) -> Scheme:
    """Bias correction; `model` takes the new biases."""
    biases = correct(model, program, scheme, float_means(program, images), images, progress)
    for name, bias in biases.items():
        set_array(model.graph.initializers[name], bias)
    return rebias(model, scheme)


def _round(model: ir.Model, program: Program, scheme: Scheme, images: Batches, progress: Progress) -> Scheme:
    """Adaptive rounding of every integer node's weight."""
    nodes = weighted_nodes(model, scheme.placement)
    moments = second_moments(program, images, nodes, progress)
    rounded = {}
    for done, node in enumerate(nodes, 1):
        name = str(node.name)
        values, scales = round_adaptively(array(node.inputs[1]), scheme.weights[name].scales, moments[name])
        rounded[name] = replace(scheme.weights[name], values=values, scales=scales)
        progress("rounding", done, len(nodes))
    return rebias(model, replace(scheme, weights=rounded))


def _checked(calibration: NDArray[np.uint8], model: ir.Model) -> NDArray[np.uint8]:
    """The images, when they are of the network's input."""
    if calibration.ndim != 4 or calibration.shape[-1] != 3 or calibration.dtype != np.uint8 or not len(calibration):
        raise InputError(
            f"calibration images must be uint8 [N, S, S, 3] with N > 0, found {calibration.dtype} "
            f"{list(calibration.shape)}"
        )
    wanted = model.graph.inputs[0].shape
    if wanted is not None and list(wanted[2:]) != list(calibration.shape[1:3]):
        raise InputError(
            f"the network takes {list(wanted[2:])} pixels, the calibration images have {list(calibration.shape[1:3])}"
        )
    return calibration


def _check_names(model: ir.Model, recipe: Recipe) -> None:
    known = {str(node.name) for node in model.graph}
    missing = sorted(set(recipe.float_nodes) - known)
    if missing:
        raise InputError(f"no node is called {', '.join(missing)}: known are {', '.join(sorted(known))}")
