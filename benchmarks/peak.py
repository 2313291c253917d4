"""The floor under a latency: multiply-adds, over those that one core does in INT8 when nothing else is to be done."""

from pathlib import Path

import numpy as np
import onnx_ir as ir

from melanoma_edge.bench.latency import interleave
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export.emit import emit
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax
from melanoma_edge.runtime import litert

CHANNELS, SIDE = 512, 28  # a pointwise convolution whose operands stay in the second-level cache


def multiply_adds(model: ir.Model) -> int:
    """Of the Conv and Gemm nodes of a float graph with static shapes."""
    total = 0
    for node in model.graph:
        if node.op_type in ("Conv", "Gemm") and node.inputs[1] is not None:
            weight, made = (value.shape.numpy() for value in (node.inputs[1], node.outputs[0]))  # type: ignore[union-attr]
            channels = weight[0] if node.op_type == "Conv" or node.attributes.get_int("transB", 0) else weight[1]
            total += int(np.prod(made)) * int(np.prod(weight)) // int(channels)
    return total


def peak(folder: Path, runs: int = 200) -> float:
    """INT8 multiply-adds a second on one thread: a large pointwise convolution in LiteRT, median of `runs`."""
    rng = np.random.default_rng(0)
    image = ir.val("image", ir.DataType.FLOAT, (1, 3, SIDE, SIDE))
    nodes: list[ir.Node] = []

    def conv(x: ir.Value, inputs: int, outputs: int) -> ir.Value:
        weight = ir.tensor(rng.normal(size=(outputs, inputs, 1, 1)).astype(np.float32) / inputs**0.5)
        name = f"value_{len(nodes)}"
        constant = ir.val(f"{name}_weight", const_value=weight)
        initializers.append(constant)
        made = ir.val(name, ir.DataType.FLOAT, (1, outputs, SIDE, SIDE))
        nodes.append(ir.node("Conv", [x, constant], outputs=[made], name=f"{name}_conv"))
        return made

    initializers: list[ir.Value] = []
    seconds = {}
    for depth in (1, 9):  # the difference is of eight equal layers and nothing else
        nodes.clear()
        initializers.clear()
        x = conv(image, 3, CHANNELS)
        for _ in range(depth):
            x = conv(x, CHANNELS, CHANNELS)
        pooled = ir.val("pooled", ir.DataType.FLOAT, (1, CHANNELS, 1, 1))
        logits = ir.val("logits", ir.DataType.FLOAT, (1, CHANNELS))
        nodes.append(ir.node("GlobalAveragePool", [x], outputs=[pooled], name="pool"))
        nodes.append(ir.node("Flatten", [pooled], outputs=[logits], name="flatten"))
        graph = ir.Graph([image], [logits], nodes=list(nodes), initializers=initializers, opset_imports={"": 18})
        pixels = rng.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
        quantized, _ = quantize(ir.Model(graph, ir_version=10), pixels, Preprocessing(SIDE), minmax.RECIPE)
        path = folder / f"peak_{depth}.tflite"
        emit(quantized, path, name="peak")
        interpreter = litert.allocate(path, threads=1)
        seconds[depth] = float(np.median(interleave({"peak": interpreter.invoke}, runs=runs)["peak"])) / 1e9
        image = ir.val("image", ir.DataType.FLOAT, (1, 3, SIDE, SIDE))
    return 8 * CHANNELS * CHANNELS * SIDE * SIDE / (seconds[9] - seconds[1])
