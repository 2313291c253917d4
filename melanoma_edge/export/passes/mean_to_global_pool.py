"""Write the mean over height and width as GlobalAveragePool, which ORT and XNNPACK both have an integer kernel for."""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph

PHASE = "clean"
AFTER = ("drop_noop",)


def run(model: ir.Model) -> int:
    """Rewrite ReduceMean over H and W, and AveragePool of the whole image, in place; returns how many."""
    count = 0
    for node in list(model.graph):
        data = node.inputs[0] if node.inputs else None
        shape = graph.dims(data) if data is not None else None
        if data is None or shape is None or len(shape) != 4 or not (_spatial_mean(node) or _whole_pool(node, shape)):
            continue
        pooled = graph.insert(node, "GlobalAveragePool", [data], (*shape[:2], 1, 1))
        if node.op_type == "ReduceMean" and not node.attributes.get_int("keepdims", 1):
            pooled = graph.insert(node, "Flatten", [pooled], shape[:2], {"axis": 1})
        graph.replace(node, pooled)
        count += 1
    return count


def _spatial_mean(node: ir.Node) -> bool:
    if not graph.is_op(node, "ReduceMean"):
        return False
    axes = graph.constant(node.inputs[1]) if len(node.inputs) > 1 else node.attributes.get_ints("axes")
    return axes is not None and sorted(int(a) % 4 for a in np.asarray(axes).reshape(-1)) == [2, 3]


def _whole_pool(node: ir.Node, shape: tuple[int, ...]) -> bool:
    return (
        graph.is_op(node, "AveragePool")
        and tuple(node.attributes.get_ints("kernel_shape", ())) == shape[2:]
        and not any(node.attributes.get_ints("pads", ()))
        and node.attributes.get_string("auto_pad", "NOTSET") in ("NOTSET", "VALID")
        and graph.dims(node.outputs[0]) == (*shape[:2], 1, 1)
    )
