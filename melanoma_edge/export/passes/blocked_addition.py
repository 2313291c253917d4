"""The additions of hard-swish by 1 x 1 depthwise convolutions of factor 1, which stay in ONNX Runtime's blocked layout.

Clip(x + 3, 0, 6) behind a convolution has the map reordered before the sum and back behind the product with x. A
convolution with weights of 1 and a bias of 3 is the same float32 sum, to the bit, and ONNX Runtime joins the Clip with
it (NCHWc, see `blocked_rounding`): 1 to 3 % of MobileNetV3-Small's time in `mixed_20`.
"""

import numpy as np
import onnx_ir as ir

from melanoma_edge import graph

PHASE = "onnxruntime"
AFTER = ("aligned_depthwise",)  # which can make channels a multiple of BLOCK

BLOCK = 16  # channels, on AVX-512: a map of another number is not blocked for a depthwise convolution


def run(model: ir.Model) -> int:
    """Replace every sum of a convolution's map and a number that a Clip alone reads, in place; returns how many."""
    count = 0
    for add in [node for node in model.graph if graph.is_op(node, "Add")]:
        found = graph.data_and_constant(add)
        readers = add.outputs[0].consumers()
        if found is None or found[1].size != 1 or graph.producer(found[0], "Conv") is None:
            continue
        shape = graph.dims(found[0]) or ()
        if len(shape) != 4 or shape[1] % BLOCK or len(readers) != 1 or not graph.is_op(readers[0], "Clip"):
            continue
        ones = np.ones((shape[1], 1, 1, 1), np.float32)
        bias = np.full(shape[1], found[1].reshape(()), np.float32)
        weights = [graph.add_constant(model.graph, f"{add.name}_{n}", a) for n, a in (("ones", ones), ("bias", bias))]
        inputs = [found[0], *weights]
        graph.replace(add, graph.insert(add, "Conv", inputs, shape, {"group": shape[1], "kernel_shape": [1, 1]}))
        count += 1
    return count
