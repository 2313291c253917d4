"""OpenVINO's NNCF, its ranges and its bias correction, in our placement: its own leaves most operators in float."""

import contextlib
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph, operators
from melanoma_edge.data.preprocess import normalize
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress
from melanoma_edge.quantization.affine import LEVELS
from melanoma_edge.quantization.prepare import array, set_array
from melanoma_edge.quantization.quantize import evidence_for
from melanoma_edge.quantization.quantizers import Plan, Subject, minmax
from melanoma_edge.quantization.ranges import BINS, Observation

COST = None  # for comparison: `static` is as fast and decides closer to float
RECIPE = replace(minmax.RECIPE, name="nncf")
RECIPES = (RECIPE.name,)


def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan, with what NNCF finds as its evidence. Raises InputError when nncf is not installed."""
    if importlib.util.find_spec("nncf") is None:
        raise InputError("--quantizer nncf needs the package: pip install 'melanoma-edge[nncf]'")
    seen = evidence_for(subject.model, subject.calibration, subject.spec, RECIPE, progress)
    done = _quantized(seen.model, subject)
    seen.observations.update(_ranges(done))
    biases = _biases(done)
    for node in seen.model.graph:
        if str(node.name) in biases:
            set_array(node.inputs[2], biases[str(node.name)])
    subject.own[RECIPE.name] = seen
    return [Plan(RECIPE)]


def _quantized(model: ir.Model, subject: Subject) -> ir.Model:
    """What `nncf.quantize` makes of the graph with its defaults."""
    import nncf

    batch = np.asarray(subject.calibration)
    if subject.spec is not None:
        batch = normalize(batch, subject.spec).transpose(0, 3, 1, 2)
    name = str(model.graph.inputs[0].name)
    dataset = nncf.Dataset([{name: np.ascontiguousarray(image[np.newaxis])} for image in batch])
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        quantized = nncf.quantize(ir.to_proto(model), dataset, subset_size=len(batch))
    return cast(ir.Model, ir.from_proto(quantized))


def _ranges(model: ir.Model) -> dict[str, Observation]:
    """The range of every activation that NNCF quantised, by value name."""
    found: dict[str, Observation] = {}
    for node in model.graph:
        source = node.inputs[0] if graph.is_quantize(node) else None
        if source is None or source.const_value is not None:
            continue
        scale, zero = array(node.inputs[1]), _zero_point(node)
        low, high = -zero * scale, (LEVELS - zero) * scale  # of each channel before a depthwise convolution
        found[str(source.name)] = Observation(
            float(low.min()), float(high.max()), np.zeros(BINS, np.int64), np.zeros(BINS)
        )
    return found


def _zero_point(node: ir.Node) -> NDArray[np.float32]:
    """As of uint8: NNCF also writes int8."""
    value = node.inputs[2].const_value if len(node.inputs) > 2 and node.inputs[2] is not None else None
    if value is None:
        return np.zeros(1, np.float32)
    integers = value.numpy()
    return integers.astype(np.float32) + (128 if integers.dtype == np.int8 else 0)


def _biases(model: ir.Model) -> dict[str, np.ndarray]:
    """The corrected bias of every Conv and Gemm, by node name."""
    weighted = (n for n in model.graph if operators.of(n).weighted and len(n.inputs) > 2)
    return {str(n.name): array(n.inputs[2]) for n in weighted if n.inputs[2] and n.inputs[2].const_value is not None}
