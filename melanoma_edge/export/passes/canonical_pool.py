"""One form for pools: no `ceil_mode`. Where it changes nothing it goes, where it adds a window it becomes padding.

Rounding the size up lets the last window hang over the end of the image, by rows that no maximum picks and no mean
counts: so does padding, which every runtime has.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph

PHASE = "clean"
AFTER = ("drop_noop",)

CEIL_MODE = "ceil_mode"


def run(model: ir.Model) -> int:
    """Rewrite every pool with ceil_mode=1 in place; returns how many. A mean that counts padding stays as it is, where
    there is padding to add."""
    count = 0
    for node in model.graph:
        if graph.is_op(node, "MaxPool", "AveragePool") and node.attributes.get_int(CEIL_MODE, 0) == 1:
            count += _rewrite(node)
    return count


def _rewrite(node: ir.Node) -> bool:
    data = node.inputs[0]
    image, made = graph.dims(data) if data is not None else None, graph.dims(node.outputs[0])
    if image is None or made is None or len(image) != 4 or not node.attributes.get_ints("kernel_shape", None):
        return False
    if node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        del node.attributes[CEIL_MODE]  # the size follows from the stride alone
        return True
    kernel, strides, dilations = (
        np.array(node.attributes.get_ints(name, (1, 1))) for name in ("kernel_shape", "strides", "dilations")
    )
    before, behind = np.array(node.attributes.get_ints("pads", (0, 0, 0, 0))).reshape(2, 2)
    sizes, last = np.array(image[2:]), (np.array(made[2:]) - 1) * strides
    spans = (kernel - 1) * dilations + 1
    needed = np.maximum(behind, last + spans - sizes - before)
    counted = node.op_type == "AveragePool" and node.attributes.get_int("count_include_pad", 0) == 1
    floor = (sizes + before + needed - spans) // strides + 1
    if (counted and np.any(needed != behind)) or np.any(floor != made[2:]) or np.any(last >= sizes + before):
        return False
    del node.attributes[CEIL_MODE]
    if np.any(needed != behind):
        node.attributes["pads"] = ir.AttrInt64s("pads", [int(p) for p in (*before, *needed)])
    return True
