"""The error for what TFLite cannot express."""

import onnx_ir as ir

from melanoma_edge.errors import UnsupportedOperatorError


def unsupported(node: ir.Node, why: str) -> UnsupportedOperatorError:
    """The error to raise for a known operator in a form that has no TFLite rule."""
    return UnsupportedOperatorError(f"{node.op_type} (node {node.name!r}) cannot be written as TFLite: {why}")
