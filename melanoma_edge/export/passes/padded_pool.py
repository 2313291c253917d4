"""Zero padding in front of a maximum stays what it is in ONNX Runtime.

Its PadFusion moves a Pad of 0 into the MaxPool behind it, whose own padding is never the maximum: the answers change
where all values of a window are negative, and no session opens where the pads reach the kernel's size. Padding with
-0.0 is not moved, and is the same number.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph

PHASE = "onnxruntime"


def run(model: ir.Model) -> int:
    """Pad with -0.0 wherever a MaxPool reads a Pad of 0, in place; returns how many."""
    count = 0
    for node in [node for node in model.graph if graph.is_op(node, "Pad")]:
        fill = node.inputs[2] if len(node.inputs) > 2 else None
        value = 0.0 if fill is None else graph.scalar(fill)
        pools = [reader for reader in node.outputs[0].consumers() if graph.is_op(reader, "MaxPool")]
        if not pools or value is None or value != 0.0 or np.signbit(value):
            continue
        minus = graph.add_constant(model.graph, f"{node.name}_minus_zero", np.array(-0.0, np.float32))
        node.resize_inputs(max(len(node.inputs), 3))
        node.replace_input_with(2, minus)
        count += 1
    return count
