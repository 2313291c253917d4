import numpy as np
import onnx_ir as ir
from onnx_graphs import Builder, dims


def concat(b: Builder, x: ir.Value) -> ir.Value:
    """Up to nine tensors, among them constants, which lie within the range of the image."""
    axis, parts = int(b.rng.integers(1, 4)), [x]
    for _ in range(int(b.rng.integers(1, 9))):
        sides = list(dims(x))
        sides[axis] = 1 + int(b.rng.integers(2))
        constant = b.const(b.rng.integers(-100, 100, sides) / 128)
        parts.append(constant if b.rng.integers(2) else b.conv(x, dims(x)[1]))
    order = b.rng.permutation(len(parts))
    return b.op("Concat", *(parts[i] for i in order), axis=axis - 4 if b.rng.integers(2) else axis)


def pad(b: Builder, x: ir.Value) -> ir.Value:
    before, behind = ([0, *(int(p) for p in b.rng.integers(0, 3, 3))] for _ in range(2))
    fill = [b.const(0.0)] if b.rng.integers(2) else []
    return b.op("Pad", x, b.const([*before, *behind], np.int64), *fill)


def reshape(b: Builder, x: ir.Value) -> ir.Value:
    _, depth, height, width = dims(x)
    shapes = [[1, -1], [1, depth, height * width], [0, width, depth, height], [-1, depth * height, width, 1]]
    return b.op("Reshape", x, b.const(shapes[b.rng.integers(len(shapes))], np.int64))


def squeeze(b: Builder, x: ir.Value) -> ir.Value:
    if b.rng.integers(2):
        return b.op("Squeeze", b.op("GlobalAveragePool", x), b.const([2, -1], np.int64))
    return b.op("Squeeze", b.conv(x, 1), b.const([1], np.int64))


def transpose(b: Builder, x: ir.Value) -> ir.Value:
    return b.op("Transpose", x, perm=[0, *(int(i) for i in b.rng.permutation([1, 2, 3]))])


def unsqueeze(b: Builder, x: ir.Value) -> ir.Value:
    axes = [[2, 3], [1, 2], [-1, 1]][b.rng.integers(3)]
    return b.op("Unsqueeze", b.op("Flatten", x), b.const(axes, np.int64))


CASES = {
    "Concat": concat,
    "Flatten": lambda b, x: b.op("Flatten", x),
    "Pad": pad,
    "Reshape": reshape,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
