"""How long a graph takes in each runtime, from the graph alone: what recipes are compared by, on any machine alike.

A sum over what the graph does: multiply-adds by kind of layer, elements that other operators read and write, elements
converted or rounded to a grid, and operators by number, each at its price. `benchmarks/fit_cost.py` fits the prices.
"""

import math
from collections import Counter
from collections.abc import Mapping

import onnx_ir as ir

from melanoma_edge import graph, operators

RUNTIMES = ("litert", "onnxruntime")
GRID = "grid_"  # begins the names of constants that round to a grid: see `quantization.write`

# Nanoseconds for each unit of `work`. Fitted to docs/results/peers/*.json: MeshNet, MobileNetV2 (160 and 224 pixels),
# MobileNetV3-Small and -Large, EfficientNet-Lite0 and -B0, one thread of an AMD EPYC (Zen 5, AVX512-VNNI), ONNX Runtime
# 1.31.1, ai-edge-litert 2.3.0. The error of the ratio to float is 2.2 % on average in LiteRT, 5.1 % at most, and 2.0 %
# and 8.3 % in ONNX Runtime. A network that is left out of the fit is predicted to 1 to 5 % in LiteRT and 1 to 18 % in
# ONNX Runtime on average, MobileNetV3-Small, which has the smallest maps, to 14 and 27 %; MeshNet cannot be: it alone
# has dense convolutions behind the first. What has no price was not to be told from the rest.
PRICES: Mapping[str, Mapping[str, float]] = {
    "litert": {
        "float dense": 0.0184,
        "float dense made": 0.263,
        "float depthwise": 0.0906,
        "float elements": 0.0616,
        "float pointwise": 0.0173,
        "float vector": 0.0407,
        "grid": 0.135,
        "grid blocked": 0.0151,
        "integer dense": 0.00325,
        "integer dense made": 0.485,
        "integer depthwise": 0.0667,
        "integer elements": 0.0334,
        "integer operators": 112,
        "integer pointwise": 0.00576,
        "integer pointwise made": 0.0203,
        "to float": 0.144,
        "to integers": 0.102,
    },
    "onnxruntime": {
        "float dense": 0.0172,
        "float depthwise": 0.0893,
        "float elements": 0.069,
        "float pointwise": 0.0171,
        "float pointwise made": 0.16,
        "float vector": 0.104,
        "grid": 0.366,
        "grid blocked": 0.313,
        "integer dense": 0.00149,
        "integer dense made": 1.1,
        "integer depthwise": 0.077,
        "integer depthwise made": 0.0395,
        "integer elements": 0.116,
        "integer operators": 264,
        "integer pointwise": 0.00389,
        "to integers": 0.746,
    },
}


def ratio(quantized: ir.Model, exact: ir.Model, runtime: str) -> float:
    """Predicted latency of a QDQ graph by that of the float graph, one thread. runtime: one of RUNTIMES."""
    return _nanoseconds(work(quantized), runtime) / _nanoseconds(work(exact), runtime)


def work(model: ir.Model) -> Counter[str]:
    """What a graph does, by kind: "float dense" and the like."""
    done: Counter[str] = Counter()
    for node in model.graph:
        made = _size(node.outputs[0])
        operator = operators.of(node)
        if graph.is_quantize(node) or graph.is_dequantize(node):
            if _crosses(node):
                done["to integers" if graph.is_quantize(node) else "to float"] += made
        elif any(v is not None and str(v.name).startswith(GRID) for v in node.inputs):
            if graph.is_op(node, "Add"):  # the first of the two additions
                done["grid blocked" if _is_blocked(node.inputs[0]) else "grid"] += made
        elif not operator.keeps_order and operator.bounds is None:  # a clamp is joined to what makes its operand
            number = "integer" if _in_integers(node) else "float"
            done[f"{number} operators"] += 1
            if operator.weighted:
                kind = f"{number} {_layer(node)}"
                done[kind] += made * _size(node.inputs[1]) // _shape(node.inputs[1])[0]
                done[f"{kind} made"] += made
            else:
                done[f"{number} elements"] += made + sum(_size(v) for v in node.inputs if not _is_constant(v))
    return done


def _nanoseconds(done: Mapping[str, int], runtime: str) -> float:
    return sum(PRICES[runtime].get(kind, 0.0) * amount for kind, amount in done.items())


def _layer(node: ir.Node) -> str:
    """The kind of kernel that a Conv or Gemm has: by vector, depthwise, pointwise or dense."""
    if len(_shape(node.inputs[1])) == 2 or _shape(node.outputs[0])[2:] == [1, 1]:
        return "vector"
    if node.attributes.get_int("group", 1) != 1:
        return "depthwise"
    return "pointwise" if _shape(node.inputs[1])[2:] == [1, 1] else "dense"


def _in_integers(node: ir.Node) -> bool:
    """Whether an operator runs in integers: its weights or first operand come out of a DequantizeLinear, and its result
    goes into a QuantizeLinear."""
    first = node.inputs[1] if operators.of(node).weighted else node.inputs[0]
    return graph.dequantizer(first) is not None and all(graph.is_quantize(user) for user, _ in node.outputs[0].uses())


def _crosses(node: ir.Node) -> bool:
    """Whether a conversion is one between float and integer operators, not a part of an integer operator."""
    if graph.is_quantize(node):
        maker = node.inputs[0].producer() if node.inputs[0] is not None else None
        return maker is None or not _in_integers(maker)
    readers = [user for user, _ in node.outputs[0].uses()]
    return not _is_constant(node.inputs[0]) and (not readers or not all(map(_in_integers, readers)))


def _is_blocked(value: ir.Value | None) -> bool:
    """Whether ONNX Runtime rounds a value in its blocked layout: a clamp or a product makes it."""
    maker = value.producer() if value is not None else None
    return maker is not None and (operators.of(maker).bounds is not None or operators.of(maker).product)


def _is_constant(value: ir.Value | None) -> bool:
    """No operand, a constant, or one behind its DequantizeLinear."""
    return value is None or graph.is_constant(value)


def _shape(value: ir.Value | None) -> list[int]:
    """The dimensions that are known."""
    return [d for d in (value.shape if value is not None else None) or () if isinstance(d, int)]


def _size(value: ir.Value | None) -> int:
    return math.prod(_shape(value))
