"""Weights in 8 bits, arithmetic in float: a file of a quarter of the size for runtimes whose integer kernels are slow.

ONNX Runtime unfolds such weights when it loads the file, and what is left is the float file's graph: it runs as fast as
float. In a browser, where ONNX Runtime's INT8 is slower than float on most networks, this is the small file to ship.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph
from melanoma_edge.quantization.scheme import Scheme

NAME = "weight_only_wi8_afp32"  # as ai-edge-quantizer calls such a recipe
SMALLEST = 4096  # weights of a layer, below which it stays in float: few bytes, and the early layers that matter most


def weight_only(model: ir.Model, scheme: Scheme, smallest: int = SMALLEST) -> ir.Model:
    """A copy of `model` (as `prepare` returns it) with the weights of `scheme` behind a DequantizeLinear each;
    layers of fewer than `smallest` weights stay as they are.
    """
    copy = model.clone()
    for node in copy.graph:
        weights = scheme.weights.get(str(node.name))
        if weights is None or weights.values.size < smallest or node.inputs[1] is None:
            continue
        old = node.inputs[1]
        name = str(old.name)
        stored = [
            ir.val(f"{name}_{what}", const_value=ir.tensor(data, name=f"{name}_{what}"))
            for what, data in (
                ("quantized", weights.values),
                ("scale", weights.scales),
                ("zero_point", np.zeros(len(weights.scales), np.int8)),
            )
        ]
        real = ir.val(f"{name}_dequantized", ir.DataType.FLOAT, weights.values.shape)
        unfold = ir.node(graph.DEQUANTIZE, stored, {"axis": 0}, outputs=[real], name=f"{name}_DequantizeLinear")
        for value in stored:
            copy.graph.register_initializer(value)
        copy.graph.insert_before(node, unfold)
        node.replace_input_with(1, real)
        if not old.uses():
            del copy.graph.initializers[name]
    copy.producer_name = "melanoma-edge"
    return copy
