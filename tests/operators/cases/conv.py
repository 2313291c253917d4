import onnx_ir as ir
from onnx_graphs import Builder, dims


def conv(b: Builder, x: ir.Value) -> ir.Value:
    """Plain, grouped or depthwise, with any padding, stride and dilation that fit."""
    _, depth, *sides = dims(x)
    group = int(b.rng.choice([g for g in range(1, depth + 1) if depth % g == 0]))
    kernel = [int(b.rng.integers(1, min(side, 3) + 1)) for side in sides]
    dilations = [int(b.rng.integers(1, 3)) if k < side / 2 else 1 for k, side in zip(kernel, sides, strict=True)]
    attributes = {"group": group, "dilations": dilations, "strides": [int(s) for s in b.rng.integers(1, 4, 2)]}
    if b.rng.integers(3):
        attributes["pads"] = [int(p) for p in b.rng.integers(0, 3, 4)]
    else:
        attributes["auto_pad"] = str(b.rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))
        attributes["dilations"] = [1, 1]
    channels = group * int(b.rng.integers(1, 4))
    weights = b.random(channels, depth // group, *kernel)
    return b.op("Conv", x, weights, *([b.random(channels)] if b.rng.integers(2) else []), **attributes)


CASES = {"Conv": conv}
