import onnx_ir as ir
from onnx_graphs import Builder, dims


def gemm(b: Builder, x: ir.Value) -> ir.Value:
    x, outputs, transposed = b.op("Flatten", x), int(b.rng.integers(1, 9)), bool(b.rng.integers(2))
    shape = (outputs, dims(x)[1]) if transposed else (dims(x)[1], outputs)
    bias = [b.random(*((outputs,) if b.rng.integers(2) else (1, outputs)))] if b.rng.integers(2) else []
    return b.op("Gemm", x, b.random(*shape), *bias, transB=int(transposed), alpha=0.5, beta=2.0)


def matmul(b: Builder, x: ir.Value) -> ir.Value:
    x = b.op("Flatten", x)
    return b.op("MatMul", x, b.random(dims(x)[1], int(b.rng.integers(1, 9))))


CASES = {"Gemm": gemm, "MatMul": matmul}
