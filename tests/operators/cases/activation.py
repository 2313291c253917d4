import onnx_ir as ir
from onnx_graphs import Builder, dims


def hard_sigmoid(b: Builder, x: ir.Value) -> ir.Value:
    alpha, beta = [(1 / 6, 0.5), (0.3, 0.4), (0.2, 0.5)][b.rng.integers(3)]
    return b.op("HardSigmoid", x, alpha=alpha, beta=beta)


def prelu(b: Builder, x: ir.Value) -> ir.Value:
    if b.rng.integers(4) == 0:
        flat = b.op("Flatten", x)
        return b.op("PRelu", flat, b.random(dims(flat)[1]))
    shape = [(dims(x)[1], 1, 1), (1, dims(x)[1], 1, 1), (1,)][b.rng.integers(3)]
    return b.op("PRelu", x, b.random(*shape))


def softmax(b: Builder, x: ir.Value) -> ir.Value:
    if b.rng.integers(4) == 0:
        return b.op("Softmax", b.op("Flatten", x), axis=-1)
    return b.op("Softmax", x, axis=int(b.rng.choice([1, 2, 3, -1, -3])))


CASES = {
    **{op: lambda b, x, op=op: b.op(op, x) for op in ("HardSwish", "Identity", "Sigmoid", "Tanh")},
    "HardSigmoid": hard_sigmoid,
    "LeakyRelu": lambda b, x: b.op("LeakyRelu", x, alpha=float(b.rng.uniform(0.05, 0.4))),
    "PRelu": prelu,
    "Softmax": softmax,
    "BatchNormalization": lambda b, x: b.batch_norm(x),
}
