"""Merge zero padding in front of a convolution into the convolution's own `pads`: the copy would cost time."""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph

PHASE = "clean"
AFTER = ("fold_affine",)


def run(model: ir.Model) -> int:
    """Merge every Pad whose consumers are all 2-D convolutions, in place; returns how many."""
    count = 0
    for node in reversed(list(model.graph)):  # the last of several in a row first
        pads = _zero_pads(node) if graph.is_op(node, "Pad") else None
        if pads is None or not _all_convolutions(node.outputs[0]) or node.inputs[0] is None:
            continue
        for use in list(node.outputs[0].uses()):
            merged = np.add(pads, use.node.attributes.get_ints("pads", (0, 0, 0, 0)))
            use.node.attributes.add(ir.AttrInt64s("pads", [int(p) for p in merged]))
            if use.node.attributes.get_string("auto_pad", "NOTSET") == "VALID":  # it would leave `pads` unread
                use.node.attributes.pop("auto_pad")
        graph.replace(node, node.inputs[0])
        count += 1
    return count


def _zero_pads(node: ir.Node) -> tuple[int, int, int, int] | None:
    """(top, left, bottom, right) of a constant zero padding of H and W of an NCHW tensor; None for any other Pad."""
    shape = graph.dims(node.inputs[0]) if node.inputs[0] is not None else None
    pads = graph.constant(node.inputs[1])
    fill = node.inputs[2] if len(node.inputs) > 2 else None
    if shape is None or len(shape) != 4 or pads is None or node.attributes.get_string("mode", "constant") != "constant":
        return None
    if fill is not None and graph.scalar(fill) != 0.0:
        return None
    axes = graph.constant(node.inputs[3]) if len(node.inputs) > 3 and node.inputs[3] is not None else np.arange(4)
    if axes is None:
        return None
    full = np.zeros((2, 4), np.int64)
    full[:, axes.astype(np.int64)] = pads.reshape(2, -1)
    if np.any(full < 0) or np.any(full[:, :2]):
        return None
    top, left, bottom, right = (int(p) for p in full[:, 2:].reshape(-1))
    return top, left, bottom, right


def _all_convolutions(value: ir.Value) -> bool:
    return (
        not value.is_graph_output()
        and len(value.uses()) > 0
        and all(
            graph.is_op(use.node, "Conv")
            and use.idx == 0
            and use.node.attributes.get_string("auto_pad", "NOTSET") in ("NOTSET", "VALID")
            for use in value.uses()
        )
    )
