"""What was decided about a graph before it is written as TFLite: plain data, made by `export.plan`."""

from dataclasses import dataclass, field

import onnx_ir as ir

NOT_FUSED = "NONE"


@dataclass
class Plan:
    """integer: the 8-bit operators. lands: the value that holds a node's result after what it swallowed. fused: its
    activation. swallowed: nodes that are written as part of another. aliases: values equal to another. images: 4-D
    values that lie channels last in the file; all others keep ONNX's order.
    """

    integer: set[ir.Node] = field(default_factory=set)
    lands: dict[ir.Node, ir.Value] = field(default_factory=dict)
    fused: dict[ir.Node, str] = field(default_factory=dict)
    swallowed: set[ir.Node] = field(default_factory=set)
    aliases: dict[ir.Value, ir.Value] = field(default_factory=dict)
    images: set[ir.Value] = field(default_factory=set)
