"""Small ONNX graphs for the tests of passes and emitters: built step by step, or drawn at random by hypothesis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx_ir.passes import common

Array = NDArray[np.float32]


@dataclass
class Builder:
    """Appends nodes to a graph with one float32 input, `image`; weights are drawn from `rng`."""

    shape: Sequence[int]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    opset: int = 18

    def __post_init__(self) -> None:
        kind = ir.TensorType(ir.DataType.FLOAT)
        self.image = ir.Value(name="image", type=kind, shape=ir.Shape(self.shape))
        self.graph = ir.Graph([self.image], [], nodes=[], opset_imports={"": self.opset}, name="test")
        self.model = ir.Model(self.graph, ir_version=10)

    def const(self, array: object, dtype: type = np.float32) -> ir.Value:
        tensor = ir.tensor(np.asarray(array, dtype))
        name = f"c{len(self.graph.initializers)}"
        value = ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(tensor.shape), const_value=tensor)
        self.graph.register_initializer(value)
        return value

    def random(self, *shape: int, scale: float = 1.0) -> ir.Value:
        return self.const(self.rng.normal(size=shape) * scale)

    def op(self, op_type: str, *inputs: ir.Value | None, **attributes: object) -> ir.Value:
        """Append a node; its output's shape is inferred at once, so that later steps can read it."""
        domain = str(attributes.pop("domain", ""))
        node = ir.node(op_type, list(inputs), attributes, domain=domain)
        self.graph.append(node)
        out = node.outputs[0]
        out.type = ir.TensorType(ir.DataType.FLOAT)
        self.graph.outputs[:] = [out]
        common.ShapeInferencePass()(self.model)
        return out

    def conv(self, x: ir.Value, channels: int, kernel: int = 1, *, bias: bool = True, **attributes: object) -> ir.Value:
        group = int(attributes.get("group", 1))  # type: ignore[call-overload]
        fan_in = dims(x)[1] // group
        weights = self.random(channels, fan_in, kernel, kernel, scale=(fan_in * kernel * kernel) ** -0.5)
        biases = [self.random(channels, scale=0.1)] if bias else []
        attributes = {"kernel_shape": [kernel, kernel], "pads": [kernel // 2] * 4, **attributes}
        return self.op("Conv", x, weights, *biases, **attributes)

    def linear(self, x: ir.Value, channels: int) -> ir.Value:
        fan_in = dims(x)[1]
        weights = self.random(channels, fan_in, scale=fan_in**-0.5)
        return self.op("Gemm", x, weights, self.random(channels, scale=0.1), transB=1)

    def batch_norm(self, x: ir.Value) -> ir.Value:
        channels = dims(x)[1]
        gamma, beta, mean = (self.random(channels, scale=0.5) for _ in range(3))
        var = self.const(self.rng.uniform(0.5, 2, channels))
        return self.op("BatchNormalization", x, gamma, beta, mean, var)

    def relu6_plus_3(self, x: ir.Value) -> ir.Value:
        return self.op("Clip", self.op("Add", x, self.const(3)), self.const(0), self.const(6))

    def done(self, *outputs: ir.Value) -> ir.Model:
        self.graph.outputs[:] = outputs
        for n, value in enumerate(outputs):
            value.name = "logits" if n == 0 else f"logits{n}"
        return self.model


def dims(value: ir.Value) -> tuple[int, ...]:
    assert value.shape is not None
    return tuple(int(d) for d in value.shape)  # type: ignore[arg-type]


def session(model: ir.Model, *, optimize: bool = True) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"])


def evaluate(model: ir.Model, image: Array) -> Array:
    """First output of `model` in onnxruntime, as written (its own rewrites are not what is tested)."""
    return np.asarray(session(model, optimize=False).run(None, {"image": image})[0])


def image_for(model: ir.Model, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=dims(model.graph.inputs[0])).astype(np.float32)


def op_types(model: ir.Model) -> list[str]:
    return [node.op_type for node in model.graph]


def _any_conv(b: Builder, x: ir.Value) -> ir.Value:
    channels, stride, bias = int(b.rng.integers(1, 9)), int(b.rng.integers(1, 3)), bool(b.rng.integers(2))
    return b.conv(x, channels, 3, bias=bias, strides=[stride, stride])


def _per_channel(b: Builder, x: ir.Value) -> ir.Value:
    channels = dims(x)[1]
    y = b.op(["Mul", "Add", "Sub", "Div"][b.rng.integers(4)], x, b.const(b.rng.uniform(0.5, 2, (channels, 1, 1))))
    return b.op("Sub", b.random(1, channels, 1, 1), y)


def _squeeze_excite(b: Builder, x: ir.Value) -> ir.Value:
    gate = b.op("ReduceMean", x, b.const([-1, -2], np.int64), keepdims=1)
    gate = b.conv(b.op("Relu", b.conv(gate, 2)), dims(x)[1])
    return b.op("Mul", b.op("HardSigmoid", gate, alpha=1 / 6, beta=0.5), x)


def _max_pool(b: Builder, x: ir.Value) -> ir.Value:
    small = min(dims(x)[2:]) < 2
    return x if small else b.op("MaxPool", x, kernel_shape=[2, 2], strides=[1, 1], pads=[1, 0, 0, 1])


STEPS: dict[str, Callable[[Builder, ir.Value], ir.Value]] = {
    "conv": _any_conv,
    "pointwise": lambda b, x: b.conv(x, int(b.rng.integers(1, 9))),
    "depthwise": lambda b, x: b.conv(x, dims(x)[1], 3, group=dims(x)[1]),
    "pad": lambda b, x: b.op("Pad", x, b.const([0, 0, 1, 0, 0, 0, 0, 2], np.int64), b.const(0.0)),
    "batch norm": lambda b, x: b.batch_norm(x),
    "scalar": lambda b, x: b.op("Mul", b.const(b.rng.uniform(0.1, 2)), x),
    "per channel": _per_channel,
    "relu6": lambda b, x: b.op("Clip", x, b.const(0), b.const(6)),
    "max": lambda b, x: b.op("Max", x, b.const(0)),
    "min": lambda b, x: b.op("Min", b.op("Relu", x), b.const(1.5)),
    "swish": lambda b, x: b.op("Mul", x, b.op("Sigmoid", x)),
    "x relu6(x+3) / 6": lambda b, x: b.op("Mul", b.op("Mul", x, b.relu6_plus_3(x)), b.const(1 / 6)),
    "x (relu6(x+3) / 6)": lambda b, x: b.op("Mul", b.op("Div", b.relu6_plus_3(x), b.const(6)), x),
    "residual": lambda b, x: b.op("Add", b.conv(x, dims(x)[1], 3), x),
    "concat": lambda b, x: b.op("Concat", b.conv(x, 3), x, axis=1),
    "squeeze-excite": _squeeze_excite,
    "max pool": _max_pool,
    **{
        kind: lambda b, x, kind=kind: b.op(kind, x)
        for kind in ("Relu", "HardSwish", "HardSigmoid", "Sigmoid", "Identity", "Dropout", "LeakyRelu", "Tanh")
    },
}

POOLS: dict[str, Callable[[Builder, ir.Value], ir.Value]] = {
    "mean, kept": lambda b, x: b.op(
        "Reshape",
        b.op("ReduceMean", x, b.const([-1, -2], np.int64), keepdims=1),
        b.const([1, dims(x)[1]], np.int64),
    ),
    "mean": lambda b, x: b.op("ReduceMean", x, b.const([2, 3], np.int64), keepdims=0),
    "global": lambda b, x: b.op("Squeeze", b.op("GlobalAveragePool", x), b.const([2, 3], np.int64)),
    "average": lambda b, x: b.op("Flatten", b.op("AveragePool", x, kernel_shape=list(dims(x)[2:]))),
    "none": lambda b, x: b.op("Flatten", x),
}


@st.composite
def networks(draw: st.DrawFn, *, photographs: bool = False) -> ir.Model:
    """A random small classifier: image `[1, C, H, W]`, or `[1, 3, S, S]` for photographs, and logits `[1, 2]`."""
    side = st.integers(4, 9)
    shape = (1, 3, *[draw(side)] * 2) if photographs else (1, draw(st.integers(1, 4)), draw(side), draw(side))
    b = Builder(shape, np.random.default_rng(draw(st.integers(0, 2**31))))
    x = b.image
    for step in draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=7)):
        x = STEPS[step](b, x)
    x = POOLS[draw(st.sampled_from(sorted(POOLS)))](b, x)
    x = b.op("HardSwish", b.linear(x, 5))
    return b.done(b.op("Add", b.op("MatMul", x, b.random(5, 2, scale=0.5)), b.random(2)))
