"""Names inside a graph are its author's, but for its two ends and those that the quantiser makes of others."""

import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.artifact import HEAT_MAP

MADE = (
    "_quantized",
    "_dequantized",
    "_scale",
    "_zero_point",
    "_on_grid",
    "_raised",
    "_float",
)  # by quantization/write.py
MADE_ALONE = ("int8_zero_points_", "grid_")


def give(owner: ir.Graph, image: str, logits: str) -> None:
    """Call the input `image` and the output `logits`, in place, whatever else is called so."""
    ends = (owner.inputs[0], owner.outputs[0])
    inner = [v for v in (*owner.initializers.values(), *(o for n in owner for o in n.outputs)) if v not in ends]
    names = {str(v.name) for v in (*inner, *ends)}
    for value in inner:
        name = str(value.name)
        made = any(name.endswith(end) and name.removesuffix(end) in {*names, image, logits} for end in MADE)
        if made or name in (image, logits, HEAT_MAP) or name.startswith(MADE_ALONE):
            _rename(owner, value, f"{name}_given")
    owner.inputs[0].name, owner.outputs[0].name = image, logits


def _rename(owner: ir.Graph, value: ir.Value, name: str) -> None:
    name = graph.free_name(owner, name)
    if not value.is_initializer():
        value.name = name
        return
    owner.initializers.pop(str(value.name))
    value.name = name
    if value.const_value is not None:
        value.const_value.name = name
    owner.register_initializer(value)
