from functools import partial

import numpy as np
import onnx_ir as ir
from onnx_graphs import Builder, dims


def pool(op: str, b: Builder, x: ir.Value) -> ir.Value:
    """Any window that fits, with padding of less than the window, of an image that may be known not to be negative."""
    kernel = [int(b.rng.integers(2, min(side, 3) + 1)) for side in dims(x)[2:]]
    attributes = {"kernel_shape": kernel, "strides": [int(s) for s in b.rng.integers(1, 3, 2)]}
    attributes["pads"] = [int(b.rng.integers(0, k)) for k in (*kernel, *kernel)]
    if op == "AveragePool" and b.rng.integers(2):
        attributes["count_include_pad"] = 1
    return b.op(op, b.op("Relu", x) if b.rng.integers(2) else x, **attributes)


def reduce_mean(b: Builder, x: ir.Value) -> ir.Value:
    axes = b.rng.choice([1, 2, 3], int(b.rng.integers(1, 3)), replace=False)
    return b.op("ReduceMean", x, b.const(axes, np.int64), keepdims=int(b.rng.integers(2)))


CASES = {
    "AveragePool": partial(pool, "AveragePool"),
    "MaxPool": partial(pool, "MaxPool"),
    "GlobalAveragePool": lambda b, x: b.op("GlobalAveragePool", x),
    "ReduceMean": reduce_mean,
}
