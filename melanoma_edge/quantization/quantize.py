"""One float ONNX graph to one QDQ ONNX graph, decided once for every runtime."""

import time
from collections.abc import Mapping
from dataclasses import replace

import onnx_ir as ir

from melanoma_edge.cores import side_by_side, single_threaded
from melanoma_edge.data.preprocess import Scaling
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.bias import correct, float_means
from melanoma_edge.quantization.distillation import distil
from melanoma_edge.quantization.evidence import Evidence, exact_input, gather, moments, observations
from melanoma_edge.quantization.executor import Batches, Images
from melanoma_edge.quantization.fidelity import signal_to_noise
from melanoma_edge.quantization.head import answers, refit, settle_sums
from melanoma_edge.quantization.prepare import array, convolves, set_array
from melanoma_edge.quantization.ranges import Observation
from melanoma_edge.quantization.recipe import Recipe
from melanoma_edge.quantization.report import QuantizationReport
from melanoma_edge.quantization.rounding import round_adaptively, round_on_grid
from melanoma_edge.quantization.scheme import Scheme, rebias, round_weights, settle, weighted_nodes
from melanoma_edge.quantization.weights import Weights
from melanoma_edge.quantization.write import write

CORRECTION_IMAGES = 128  # more do not change the means that bias correction uses
HEAD_IMAGES = 200
SUM_IMAGES = 64
FIDELITY_IMAGES = 32


def quantize(
    model: ir.Model,
    calibration: Images,
    spec: Scaling | None,
    recipe: Recipe,
    *,
    progress: Progress = silent,
) -> tuple[ir.Model, QuantizationReport]:
    """Quantize a float network that went through the passes of the phases "clean" and "integer".

    calibration, spec: images of the training split, and how the network's input is made from them (see
    `executor.Batches`); (pixel - 128) / 128 is quantised without loss. Returns the QDQ model and the report; `model` is
    left as it is.
    Raises InputError for images of another form, names of nodes that are not there, a network that is not finite on an
    image; UnsupportedOperatorError for an operator that the executor does not know.
    """
    return decide(evidence_for(model, calibration, spec, recipe, progress), recipe, progress=progress)


def evidence_for(
    model: ir.Model, calibration: Images, spec: Scaling | None, recipe: Recipe, progress: Progress = silent
) -> Evidence:
    """What `decide` needs for `recipe`, and for those that differ from it in rounding, correction and float nodes."""
    gradients = recipe.ranges == "fisher"
    return gather(model, calibration, spec, gradients=gradients, equalization=recipe.equalization, progress=progress)


@single_threaded()
def decide(evidence: Evidence, recipe: Recipe, *, progress: Progress = silent) -> tuple[ir.Model, QuantizationReport]:
    """The QDQ model of `recipe`, and its report; `seconds` are those since this call. Raises as `quantize` does."""
    started = time.monotonic()
    model, scheme = scheme_of(evidence, recipe, progress=progress)
    if recipe.bias_correction:
        scheme = _correct(model, evidence, scheme, progress)
    if recipe.distillation_epochs:
        scheme = distil(
            model,
            evidence.program,
            scheme,
            evidence.images,
            evidence.spec,
            epochs=recipe.distillation_epochs,
            progress=progress,
        )
    images = Batches(evidence.images[:HEAD_IMAGES], evidence.spec)
    if not evidence.logits:
        evidence.logits.append(answers(evidence.program, images))
    few = Batches(evidence.images[:SUM_IMAGES], evidence.spec)
    scheme = settle_sums(model, scheme, few, evidence.logits[0])
    if recipe.head_correction:
        scheme = refit(model, scheme, images, evidence.logits[0])
    fidelity = signal_to_noise(
        evidence.program, model, scheme, Batches(evidence.images[:FIDELITY_IMAGES], evidence.spec)
    )
    nodes = [str(n.name) for n in model.graph]
    report = QuantizationReport(
        recipe=recipe,
        images=len(evidence.images),
        seconds=round(time.monotonic() - started, 2),
        tensors=dict(sorted(scheme.activations.items())),
        integer_nodes=tuple(n for n in nodes if n in scheme.placement.integer),
        float_nodes=tuple(n for n in nodes if n not in scheme.placement.integer),
        inexact_nodes=tuple(n for n in nodes if n in scheme.inexact),
        signal_to_noise=fidelity,
    )
    return write(model, scheme), report


@single_threaded()
def scheme_of(evidence: Evidence, recipe: Recipe, *, progress: Progress = silent) -> tuple[ir.Model, Scheme]:
    """A copy of the evidence's network and its scheme before bias correction."""
    model = evidence.model.clone()
    _check_names(model, recipe)

    def look(names: frozenset[str]) -> Mapping[str, Observation]:
        return observations(evidence, names, progress)

    settled = settle(
        model,
        look,
        recipe.ranges,
        image=exact_input(evidence.spec),
        float_head=recipe.float_head,
        float_nodes=recipe.float_nodes,
    )
    scheme = round_weights(model, settled)
    return model, _round(model, evidence, scheme, progress) if recipe.adaptive_rounding else scheme


def _correct(model: ir.Model, evidence: Evidence, scheme: Scheme, progress: Progress) -> Scheme:
    """Bias correction; `model` takes the new biases."""
    images = Batches(evidence.images[:CORRECTION_IMAGES], evidence.spec)
    if not evidence.means:
        evidence.means.update(float_means(evidence.program, images))
    # the copy has the same names, so the evidence's program runs it
    biases = correct(model, evidence.program, scheme, evidence.means, images, progress)
    for name, bias in biases.items():
        set_array(model.graph.initializers[name], bias)
    return rebias(model, scheme)


def _round(model: ir.Model, evidence: Evidence, scheme: Scheme, progress: Progress) -> Scheme:
    """Adaptive rounding of every weight; those in integers are done once for all recipes. A float last layer is left
    out: it multiplies one vector an image, of which there are fewer than weights, so that it would learn them by heart.
    """
    nodes = weighted_nodes(model, scheme.placement)
    exact = [node for node in model.graph if node.name in scheme.grids.weights and convolves(node)]
    second = moments(evidence, [*nodes, *exact], progress)
    missing = [node for node in nodes if node.name not in evidence.rounded]

    def rounded(node: ir.Node) -> Weights:
        before = scheme.weights[str(node.name)]
        values, scales = round_adaptively(array(node.inputs[1]), before.scales, second[str(node.name)])
        return replace(before, values=values, scales=scales)

    with side_by_side() as workers:
        for done, (node, made) in enumerate(zip(missing, workers.map(rounded, missing), strict=True), 1):
            evidence.rounded[str(node.name)] = made
            progress("rounding", done, len(missing))
    weights = {str(node.name): evidence.rounded[str(node.name)] for node in nodes}
    finer = dict(scheme.grids.weights)
    for node in exact:
        name = str(node.name)
        weight = round_on_grid(array(node.inputs[1]), finer[name].scales, second[name])
        finer[name] = replace(finer[name], weight=weight)
    return rebias(model, replace(scheme, weights=weights, grids=replace(scheme.grids, weights=finer)))


def _check_names(model: ir.Model, recipe: Recipe) -> None:
    known = {str(node.name) for node in model.graph}
    missing = sorted(set(recipe.float_nodes) - known)
    if missing:
        raise InputError(f"no node is called {', '.join(missing)}: known are {', '.join(sorted(known))}")
