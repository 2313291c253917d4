"""A network with a little of everything that the backbones have, images for it, and ONNX Runtime to run it."""

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray
from onnx_graphs import Builder

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import passes

SIZE = 16
SPEC = Preprocessing(SIZE)
IMAGES = np.random.default_rng(0).integers(0, 256, (24, SIZE, SIZE, 3), np.uint8)


def mobile() -> ir.Model:
    """Stem, inverted residual with squeeze-excite, hard-swish, swish, concatenation, pools: what the backbones have."""
    b = Builder((1, 3, SIZE, SIZE))
    x = b.op("Clip", b.conv(b.image, 8, 3, strides=[2, 2]), b.const(0), b.const(6))
    y = b.op("HardSwish", b.conv(b.op("HardSwish", b.conv(x, 16)), 16, 3, group=16))
    gate = b.op("HardSigmoid", b.conv(b.op("Relu", b.conv(b.op("GlobalAveragePool", y), 4)), 16), alpha=1 / 6, beta=0.5)
    x = b.op("Add", b.conv(b.op("Mul", gate, y), 8), x)
    y = b.conv(x, 8, 3, dilations=[2, 2], pads=[2, 2, 2, 2])
    x = b.op("Concat", b.op("Mul", y, b.op("Sigmoid", y)), x, axis=1)
    x = b.op("MaxPool", b.op("Relu", b.conv(x, 12)), kernel_shape=[2, 2], strides=[2, 2])
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    model = b.done(b.linear(b.op("HardSwish", b.linear(x, 10)), 2))
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    return model


def run_ort(model: ir.Model, images: NDArray[np.uint8], level: ort.GraphOptimizationLevel) -> np.ndarray:
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
    batch = normalize(images, SPEC).transpose(0, 3, 1, 2)
    return np.concatenate([session.run(None, {"image": batch[i : i + 1]})[0] for i in range(len(batch))])
