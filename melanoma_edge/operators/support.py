"""What neither a float nor an INT8 file can hold, told before anything is run."""

import onnx_ir as ir

from melanoma_edge import graph, operators


def unsupported(model: ir.Model) -> list[str]:
    """One sentence for each node of a graph, as the clean passes leave it, that is not accepted: the operator, the
    node, what was found and what is accepted. Runs nothing and loads no torch.
    """
    nodes = (node for node in model.graph if not graph.is_quantize(node) and not graph.is_dequantize(node))
    return [why for node in nodes if (why := operators.refusal(node))]
