"""Compute what depends on constants only, so that later passes and the emitter see initializers, not expressions."""

import onnx_ir as ir
from onnx_ir.passes import common
from onnxscript import optimizer

PHASE = "clean"

LIMIT = 1 << 26  # elements; the weights of a network on a phone are far fewer


def run(model: ir.Model) -> int:
    """Fold constant expressions in place; returns how many nodes went."""
    before = len(model.graph)
    optimizer.fold_constants_ir(model, onnx_shape_inference=True, input_size_limit=LIMIT, output_size_limit=LIMIT)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    common.RemoveUnusedNodesPass()(model)
    return before - len(model.graph)
