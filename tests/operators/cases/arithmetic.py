from functools import partial

import onnx_ir as ir
from onnx_graphs import Builder, dims


def binary(op: str, b: Builder, x: ir.Value) -> ir.Value:
    """With a constant of any shape that broadcasts, another image, or one pixel a channel."""
    _, depth, height, width = dims(x)
    kind = int(b.rng.integers(4))
    if kind == 0 and op != "Div":  # a division by an image has no bounded error
        return b.op(op, b.conv(x, depth), x)
    if kind == 1 and op != "Div":
        return b.op(op, x, b.op("GlobalAveragePool", x))
    shapes = [(), (1,), (depth, 1, 1), (1, depth, 1, 1), (width,), (height, 1), (1, depth, height, width)]
    constant = b.const(b.rng.uniform(0.5, 2, shapes[b.rng.integers(len(shapes))]))
    return b.op(op, *((constant, x) if kind == 2 and op != "Div" else (x, constant)))


CASES = {op: partial(binary, op) for op in ("Add", "Sub", "Mul", "Div")}
