"""What rules write with: the tensors of the values of an ONNX graph, and the operators between them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.tflite import layout, schema
from melanoma_edge.tflite.affine import Integers, constant_integers, per_tensor
from melanoma_edge.tflite.builder import ModelBuilder, Quantization
from melanoma_edge.tflite.errors import unsupported
from melanoma_edge.tflite.plan import Plan
from melanoma_edge.tflite.versions import Version, Versions


@dataclass
class Emission:
    """A file under way. versions: of TFLite's operators. tensors: float values, and outputs of QuantizeLinear, to
    tensor index. flattened: 2-D values whose elements lie in (H, W, C) order, with the (C, H, W) they came from.
    """

    plan: Plan
    versions: Mapping[str, Versions]
    builder: ModelBuilder = field(default_factory=ModelBuilder)
    tensors: dict[ir.Value, int] = field(default_factory=dict)
    quantizations: dict[int, Quantization] = field(default_factory=dict)
    flattened: dict[ir.Value, tuple[int, int, int]] = field(default_factory=dict)
    runtimes: set[str] = field(default_factory=set)

    def is_integer(self, node: ir.Node) -> bool:
        """Whether `node` is written as an 8-bit operator."""
        return node in self.plan.integer

    def is_image(self, value: ir.Value | None) -> bool:
        """Whether a value lies channels last in the file."""
        return value in self.plan.images

    def input(self, node: ir.Node, index: int) -> int:
        """Tensor of a computed input: int8 for an 8-bit operator, else float32."""
        value = node.inputs[index]
        if value is None:
            raise unsupported(node, f"input {index} is missing")
        return self.integer(value) if self.is_integer(node) else self.real(value)

    def operand(self, node: ir.Node, index: int) -> int:
        """Tensor of an input that broadcasts and may be a constant."""
        value, output = node.inputs[index], graph.dims(node.outputs[0])
        if value is None or output is None:
            raise unsupported(node, f"input {index} or the output has no known shape")
        image = self.is_image(node.outputs[0])
        found = self._constant_operand(node, value, lambda array: layout.operand(array, len(output), image))
        if found is not None:
            return found
        shape = graph.dims(value)
        if shape is None or len(shape) != len(output):
            raise unsupported(node, f"operands of {shape} and {output} have different ranks")
        return self.input(node, index)

    def member(self, node: ir.Node, index: int) -> int:
        """Tensor of an input that is a part of the output and may be a constant."""
        value, image = node.inputs[index], self.is_image(node.outputs[0])
        found = None if value is None else self._constant_operand(node, value, lambda a: layout.array(a, image))
        return self.input(node, index) if found is None else found

    def _constant_operand(
        self, node: ir.Node, value: ir.Value, laid: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> int | None:
        """Tensor of a constant, laid out by `laid`: int8 where an 8-bit operator reads integers; None if computed."""
        integers, array = constant_integers(value.producer()), graph.constant(value)
        if integers is not None and self.is_integer(node):
            quantization = Quantization(integers.scale, np.broadcast_to(integers.zero_point, integers.scale.shape))
            return self.constant(str(value.name), laid(integers.array), quantization)
        real = array if integers is None else integers.real()
        return None if real is None else self.constant(str(value.name), laid(real.astype(np.float32)))

    def output(self, node: ir.Node) -> int:
        """New tensor for the result of `node`, after what it swallowed."""
        value = self.plan.lands[node]
        dims = graph.dims(node.outputs[0])
        if dims is None:
            raise unsupported(node, "its output has no known shape")
        quantizer = value.producer() if self.is_integer(node) else None
        parameters = None if quantizer is None else per_tensor(quantizer)
        shape = layout.shape(dims, self.is_image(node.outputs[0]))
        self.tensors[value] = self.tensor(str(value.name), shape, parameters)
        return self.tensors[value]

    def fused(self, node: ir.Node) -> int:
        """The schema's code of the clamp that `node` swallowed."""
        return int(getattr(schema.ActivationFunctionType, self.plan.fused[node]))

    def real(self, value: ir.Value) -> int:
        """float32 tensor of `value`; dequantises where it only exists in 8 bits."""
        if value in self.tensors:
            return self.tensors[value]
        node = value.producer()
        integers = constant_integers(node)
        array = integers.real() if integers is not None else graph.constant(value)
        if array is not None:
            return self.constant(str(value.name), array.astype(np.float32))
        if node is None or not graph.is_dequantize(node):
            raise ValueError(f"value {value.name!r} is read before it is written")
        source = self.integer(value)
        self.tensors[value] = self.tensor(str(value.name), self.shape(source))
        self.op("DEQUANTIZE", [source], [self.tensors[value]], schema.DequantizeOptionsT())
        return self.tensors[value]

    def integer(self, dequantized: ir.Value) -> int:
        """int8 tensor that the DequantizeLinear behind `dequantized` reads."""
        node = graph.dequantizer(dequantized)
        if node is None or node.inputs[0] is None:
            raise ValueError(f"value {dequantized.name!r} is not the output of a DequantizeLinear")
        return self.tensors[self.plan.aliases.get(node.inputs[0], node.inputs[0])]

    def tensor(self, name: str, shape: Sequence[int], quantization: Quantization | None = None) -> int:
        """New activation tensor, int8 when `quantization` is given."""
        index = self.builder.tensor(name, shape, np.float32 if quantization is None else np.int8, quantization)
        if quantization is not None:
            self.quantizations[index] = quantization
        return index

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape of a tensor, as TFLite has it."""
        return tuple(int(d) for d in self.builder.tensors[tensor].shape)

    def like(self, tensor: int, name: str, shape: Sequence[int]) -> int:
        """New tensor of another shape with the type and scale of `tensor`."""
        return self.tensor(name, shape, self.quantizations.get(tensor))

    def int32(self, name: str, numbers: object) -> int:
        """Constant int32 tensor, e.g. a shape, axes or paddings."""
        return self.builder.constant(name, np.array(numbers, np.int32))

    def requantized(self, source: int, target: int) -> int:
        """`source` in the scale of `target`: itself where they agree, else through a QUANTIZE."""
        given, wanted = self.quantizations.get(source), self.quantizations.get(target)
        if given is None or wanted is None or given.key == wanted.key:
            return source
        result = self.like(target, f"{self.name(source)}_requantized", self.shape(source))
        self.op("QUANTIZE", [source], [result], schema.QuantizeOptionsT())
        return result

    def name(self, tensor: int) -> str:
        """Name of a tensor."""
        return str(self.builder.tensors[tensor].name)

    def op(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: object | None = None,
        version: Version | None = None,
    ) -> None:
        """Append an operator; `version` is only given where the usual one of `versions` does not do.

        Raises ValueError for a use that has none.
        """
        as_float, as_int8 = self.versions[name]
        int8 = self.builder.tensors[inputs[0]].type == schema.TensorType.INT8
        found = version or (as_int8 if int8 else as_float)
        if found is None:
            raise ValueError(f"{name} has no int8 form here")
        number, runtime = found
        self.runtimes.add(runtime)
        self.builder.operator(name, number, inputs, outputs, options)

    def constant(self, name: str, array: NDArray[np.generic], quantization: Quantization | None = None) -> int:
        """Constant tensor of these elements."""
        index = self.builder.constant(name, array, quantization)
        if quantization is not None:
            self.quantizations[index] = quantization
        return index


def constant_input(node: ir.Node, index: int) -> NDArray[np.float32] | Integers:
    """A constant input as float32 array, or as the integers behind its DequantizeLinear.

    Raises UnsupportedOperatorError when it is computed.
    """
    value = node.inputs[index]
    integers = constant_integers(value.producer()) if value is not None else None
    if integers is not None:
        return integers
    array = graph.constant(value)
    if array is None:
        raise unsupported(node, f"input {index} must be a constant")
    return array.astype(np.float32)
