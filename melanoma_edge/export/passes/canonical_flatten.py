"""One form for "drop the 1x1 image": Flatten(axis=1), instead of Reshape, Squeeze or a Reshape with a computed shape.

On a 1x1 image NCHW and NHWC lie in memory alike, so the emitter needs no TRANSPOSE and the quantiser no new scale.
"""

import onnx_ir as ir

from melanoma_edge import graph

PHASE = "clean"
AFTER = ("mean_to_global_pool",)


def run(model: ir.Model) -> int:
    """Rewrite in place; returns how many changed."""
    count = 0
    for node in list(model.graph):
        data = node.inputs[0] if node.inputs else None
        if data is None or not graph.is_op(node, "Reshape", "Squeeze") or not _drops_image(data, node.outputs[0]):
            continue
        graph.replace(node, graph.insert(node, "Flatten", [data], graph.dims(node.outputs[0]), {"axis": 1}))
        count += 1
    return count


def _drops_image(data: ir.Value, output: ir.Value) -> bool:
    shape = graph.dims(data)
    return shape is not None and len(shape) == 4 and shape[2:] == (1, 1) and graph.dims(output) == shape[:2]
