import onnx_ir as ir
from onnx_graphs import Builder

BOUNDS = [(0, 6), (-1, 1), (0, 1), (-0.5, 0.3), (-0.2, None), (None, 0.2)]


def clip(b: Builder, x: ir.Value) -> ir.Value:
    bounds = (None if bound is None else b.const(bound) for bound in BOUNDS[b.rng.integers(len(BOUNDS))])
    return b.op("Clip", x, *bounds)


CASES = {"Clip": clip, "Relu": lambda b, x: b.op("Relu", x)}
