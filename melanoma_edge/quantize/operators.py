"""ONNX operators as differentiable torch functions of any batch size, whatever batch the graph was written for."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from melanoma_edge.errors import UnsupportedOperatorError

Apply = Callable[[Sequence[Tensor | None]], Tensor]


def build(node: ir.Node) -> Apply:
    """The torch function of one node. Shape-like operands are read from the graph's constants once, here.

    Raises UnsupportedOperatorError for an operator without a rule or an attribute that its rule does not cover.
    """
    if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
        raise UnsupportedOperatorError(
            f"operator {node.op_type!r} of node {node.name!r} cannot be quantized: known are {', '.join(OPERATORS)}"
        )
    return OPERATORS[node.op_type](node)


def constant(node: ir.Node, index: int) -> np.ndarray | None:
    """The constant operand `index` of a node, None where it is left out."""
    value = node.inputs[index] if index < len(node.inputs) else None
    if value is None:
        return None
    if value.const_value is None:
        raise _unsupported(node, f"input {index} ({value.name!r}) must be a constant")
    return value.const_value.numpy()


def clip_bounds(node: ir.Node) -> tuple[float, float]:
    """The constant (low, high) of a Relu or Clip, infinite where it has none."""
    if node.op_type == "Relu":
        return 0.0, float("inf")
    low, high = constant(node, 1), constant(node, 2)
    return -np.inf if low is None else float(low), np.inf if high is None else float(high)


def _unsupported(node: ir.Node, why: str) -> UnsupportedOperatorError:
    return UnsupportedOperatorError(f"{node.op_type} node {node.name!r} cannot be quantized: {why}")


def _need(value: Tensor | None) -> Tensor:
    assert value is not None, "a required operand is missing"
    return value


def _ints(node: ir.Node, name: str, default: Sequence[int]) -> list[int]:
    return list(node.attributes.get_ints(name, default) or default)


def _elementwise(apply: Callable[..., Tensor]) -> Callable[[ir.Node], Apply]:
    return lambda node: lambda x: apply(*(_need(v) for v in x))


def padding(
    node: ir.Node, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Callable[[Tensor], list[int]]:
    """Padding of an NCHW input in torch's order (left, right, top, bottom)."""
    auto = node.attributes.get_string("auto_pad", "NOTSET")
    if auto in ("NOTSET", "VALID"):
        top, left, bottom, right = _ints(node, "pads", [0, 0, 0, 0]) if auto == "NOTSET" else (0, 0, 0, 0)
        return lambda x: [left, right, top, bottom]

    def same(x: Tensor) -> list[int]:
        pads: list[int] = []
        for axis in (1, 0):  # ONNX SAME_UPPER: output = ceil(input / stride), the odd pixel at the end
            size = x.shape[2 + axis]
            total = max(
                (-(-size // stride[axis]) - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - size, 0
            )
            small, large = total // 2, total - total // 2
            pads += [small, large] if auto == "SAME_UPPER" else [large, small]
        return pads

    return same


def _conv(node: ir.Node) -> Apply:
    weight = node.inputs[1]
    if weight is None or weight.shape is None or len(weight.shape) != 4:
        raise _unsupported(node, "only 2-D convolutions with a known weight shape are")
    stride, dilation = _ints(node, "strides", [1, 1]), _ints(node, "dilations", [1, 1])
    pads_of = padding(node, [int(str(d)) for d in weight.shape[2:]], stride, dilation)
    group = int(node.attributes.get_int("group", 1) or 1)

    def apply(inputs: Sequence[Tensor | None]) -> Tensor:
        x, w = _need(inputs[0]), _need(inputs[1])
        bias = inputs[2] if len(inputs) > 2 else None
        left, right, top, bottom = pads_of(x)
        if (left, top) == (right, bottom):
            return F.conv2d(x, w, bias, stride, [top, left], dilation, group)
        return F.conv2d(F.pad(x, [left, right, top, bottom]), w, bias, stride, 0, dilation, group)

    return apply


def _gemm(node: ir.Node) -> Apply:
    if node.attributes.get_int("transA", 0):
        raise _unsupported(node, "transA=1 is not a fully connected layer")
    transposed = bool(node.attributes.get_int("transB", 0))
    alpha, beta = node.attributes.get_float("alpha", 1.0), node.attributes.get_float("beta", 1.0)

    def apply(inputs: Sequence[Tensor | None]) -> Tensor:
        x, w = _need(inputs[0]), _need(inputs[1])
        y = alpha * (x @ (w.T if transposed else w))
        bias = inputs[2] if len(inputs) > 2 else None
        return y if bias is None else y + beta * bias

    return apply


def _clip(node: ir.Node) -> Apply:
    low, high = clip_bounds(node)
    return lambda x: _need(x[0]).clamp(None if np.isinf(low) else low, None if np.isinf(high) else high)


def _hard_sigmoid(node: ir.Node) -> Apply:
    alpha, beta = node.attributes.get_float("alpha", 0.2), node.attributes.get_float("beta", 0.5)
    return lambda x: (alpha * _need(x[0]) + beta).clamp(0, 1)


def _leaky_relu(node: ir.Node) -> Apply:
    slope = float(node.attributes.get_float("alpha", 0.01) or 0.0)
    return lambda x: F.leaky_relu(_need(x[0]), slope)


def _softmax(node: ir.Node) -> Apply:
    axis = int(node.attributes.get_int("axis", -1) or 0)
    if axis == 0:
        raise _unsupported(node, "a softmax over the batch is not")
    return lambda x: _need(x[0]).softmax(axis)


def _pool(node: ir.Node) -> Apply:
    kernel = _ints(node, "kernel_shape", [])
    stride, dilation = _ints(node, "strides", [1, 1]), _ints(node, "dilations", [1, 1])
    rounds_up = node.attributes.get_int("ceil_mode", 0) != 0
    if len(kernel) != 2 or rounds_up or len(node.outputs) > 1:
        raise _unsupported(node, "only 2-D pooling without ceil_mode and indices is")
    pads_of = padding(node, kernel, stride, dilation)
    if node.op_type == "MaxPool":
        return lambda x: F.max_pool2d(
            F.pad(_need(x[0]), pads_of(_need(x[0])), value=-torch.inf), kernel, stride, 0, dilation
        )
    if dilation != [1, 1]:
        raise _unsupported(node, "only dilation 1 is")
    count_padding = bool(node.attributes.get_int("count_include_pad", 0))

    def average(inputs: Sequence[Tensor | None]) -> Tensor:
        x = _need(inputs[0])
        pads = pads_of(x)
        mean = F.avg_pool2d(F.pad(x, pads), kernel, stride)
        inside = F.avg_pool2d(F.pad(torch.ones_like(x[:1, :1]), pads), kernel, stride)
        return mean if count_padding else mean / inside

    return average


def _reduce_mean(node: ir.Node) -> Apply:
    axes = constant(node, 1) if len(node.inputs) > 1 else np.asarray(_ints(node, "axes", []))
    dims = [] if axes is None else [int(a) for a in axes]
    if not dims or 0 in dims:
        raise _unsupported(node, "only means over named axes other than the batch are")
    keep = node.attributes.get_int("keepdims", 1) != 0
    return lambda x: _need(x[0]).mean(dims, keepdim=keep)


def _reshape(node: ir.Node) -> Apply:
    target = [int(d) for d in np.atleast_1d(constant(node, 1))]  # type: ignore[arg-type]
    static = node.inputs[0].shape if node.inputs[0] is not None else None
    written = int(static[0]) if static is not None and isinstance(static[0], int) else 1
    if not target or target[0] not in (-1, 0, written):
        raise _unsupported(node, f"shape {target} does not keep the batch as first dimension")

    def apply(inputs: Sequence[Tensor | None]) -> Tensor:
        x = _need(inputs[0])
        rest = [x.shape[i + 1] if d == 0 else d for i, d in enumerate(target[1:])]
        return x.reshape(x.shape[0], *rest)

    return apply


def _flatten(node: ir.Node) -> Apply:
    if node.attributes.get_int("axis", 1) != 1:
        raise _unsupported(node, "only axis 1 is")
    return lambda x: _need(x[0]).flatten(1)


def _squeeze(node: ir.Node) -> Apply:
    axes = constant(node, 1) if len(node.inputs) > 1 else np.asarray(_ints(node, "axes", []))
    dims = [] if axes is None else [int(a) for a in axes]
    if not dims or 0 in dims:
        raise _unsupported(node, "only named axes other than the batch are")
    return lambda x: _need(x[0]).squeeze(tuple(dims))


def _unsqueeze(node: ir.Node) -> Apply:
    axes = constant(node, 1) if len(node.inputs) > 1 else np.asarray(_ints(node, "axes", []))
    dims = sorted(int(a) for a in axes) if axes is not None else []
    if not dims or dims[0] <= 0:
        raise _unsupported(node, "only axes behind the batch are")

    def apply(inputs: Sequence[Tensor | None]) -> Tensor:
        x = _need(inputs[0])
        for axis in dims:
            x = x.unsqueeze(axis)
        return x

    return apply


def _concat(node: ir.Node) -> Apply:
    axis = int(node.attributes.get_int("axis", 1) or 0)
    if axis == 0:
        raise _unsupported(node, "joining along the batch is not")
    constants = [value is not None and value.const_value is not None for value in node.inputs]

    def join(x: Sequence[Tensor | None]) -> Tensor:
        batch = max(len(_need(v)) for v, constant in zip(x, constants, strict=True) if not constant)
        parts = [
            _need(v).expand(batch, *[-1] * (_need(v).ndim - 1)) if constant else _need(v)
            for v, constant in zip(x, constants, strict=True)
        ]
        return torch.cat(parts, axis)

    return join


def _transpose(node: ir.Node) -> Apply:
    order = _ints(node, "perm", [])
    if not order or order[0] != 0:
        raise _unsupported(node, "only permutations that keep the batch first are")
    return lambda x: _need(x[0]).permute(order)


def _pad(node: ir.Node) -> Apply:
    pads, value = constant(node, 1), constant(node, 2)
    if pads is None or len(node.inputs) > 3 or node.attributes.get_string("mode", "constant") != "constant":
        raise _unsupported(node, "only constant padding without axes is")
    rank = len(pads) // 2
    order = [int(p) for axis in reversed(range(rank)) for p in (pads[axis], pads[axis + rank])]
    fill = 0.0 if value is None else float(value)
    return lambda x: F.pad(_need(x[0]), order, value=fill)


def _batch_norm(node: ir.Node) -> Apply:
    epsilon = float(node.attributes.get_float("epsilon", 1e-5) or 0.0)

    def apply(inputs: Sequence[Tensor | None]) -> Tensor:
        x, gamma, beta, mean, variance = (_need(v) for v in inputs)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=epsilon)

    return apply


OPERATORS: dict[str, Callable[[ir.Node], Apply]] = {
    "Add": _elementwise(torch.add),
    "AveragePool": _pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "Div": _elementwise(torch.div),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _elementwise(lambda x: x.mean((2, 3), keepdim=True)),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _elementwise(F.hardswish),
    "Identity": _elementwise(lambda x: x),
    "LeakyRelu": _leaky_relu,
    "MatMul": _elementwise(torch.matmul),
    "MaxPool": _pool,
    "Mul": _elementwise(torch.mul),
    "Pad": _pad,
    "ReduceMean": _reduce_mean,
    "Relu": _elementwise(torch.relu),
    "Reshape": _reshape,
    "Sigmoid": _elementwise(torch.sigmoid),
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Sub": _elementwise(torch.sub),
    "Tanh": _elementwise(torch.tanh),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
