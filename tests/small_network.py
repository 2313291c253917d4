"""A network with a little of everything that the backbones have, images for it, and ONNX Runtime to run it."""

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray
from onnx_graphs import Builder

from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import passes
from melanoma_edge.quantization.prepare import array, set_array

SIZE = 16
SPEC = Preprocessing(SIZE)
IMAGES = np.random.default_rng(0).integers(0, 256, (24, SIZE, SIZE, 3), np.uint8)


def mobile(phases: Sequence[str] = ("clean", "integer")) -> ir.Model:
    """Stem, inverted residual with squeeze-excite, hard-swish, swish, concatenation, pools: what the backbones have.

    phases: of the passes that have run.
    """
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
    for phase in phases:
        passes.apply(model, phase)
    return model


def excited(*, swish: bool = True, spread: float = 1.0) -> ir.Model:
    """Swish (or Relu), squeeze and excite, and a layer behind; channels in front differ by `spread` in range."""
    b = Builder((1, 3, SIZE, SIZE), np.random.default_rng(0))
    x = b.conv(b.image, 12, 3)
    maker = x.producer()
    x = b.op("Mul", x, b.op("Sigmoid", x)) if swish else b.op("Relu", x)
    gate = b.op("Sigmoid", b.conv(b.op("Relu", b.conv(b.op("GlobalAveragePool", x), 4)), 12))
    x = b.op("Relu", b.conv(b.op("Mul", x, gate), 8))
    reader = x.producer().inputs[0].producer()  # type: ignore[union-attr]
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    factors = np.geomspace(1, spread, 12)
    set_array(maker.inputs[1], array(maker.inputs[1]) * factors.reshape(-1, 1, 1, 1))  # type: ignore[union-attr]
    set_array(reader.inputs[1], array(reader.inputs[1]) / factors.reshape(1, -1, 1, 1))  # type: ignore[union-attr]
    return model


def run_ort(model: ir.Model, images: NDArray[np.uint8], level: ort.GraphOptimizationLevel) -> np.ndarray:
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
    batch = normalize(images, SPEC).transpose(0, 3, 1, 2)
    return np.concatenate([session.run(None, {"image": batch[i : i + 1]})[0] for i in range(len(batch))])
