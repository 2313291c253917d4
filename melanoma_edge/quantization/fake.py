"""Fake quantisation: the integer graph simulated in float32, differentiable (straight-through inside the range)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import onnx_ir as ir
import torch
from torch import Tensor

from melanoma_edge.quantization.affine import LEVELS, Affine, quantize_array
from melanoma_edge.quantization.executor import Edge, Program, Step
from melanoma_edge.quantization.grids import snap
from melanoma_edge.quantization.prepare import array
from melanoma_edge.quantization.scheme import Scheme, weighted_nodes
from melanoma_edge.quantization.weights import dequantize


@dataclass(frozen=True)
class Hooks:
    """Arguments of `executor.run` that make a float program compute what the integer graph computes."""

    constants: dict[str, Tensor]
    on_input: Edge
    on_output: Edge


class _FakeQuantize(torch.autograd.Function):
    """In whole passes over the tensor: a fifth of the time of torch.fake_quantize_per_tensor_affine, which takes one
    element after the other.
    """

    @staticmethod
    def forward(context: Any, value: Tensor, affine: Affine) -> Tensor:
        steps = (value / affine.scale).round_()
        inside = steps.clamp(-affine.zero_point, LEVELS - affine.zero_point)
        if context.needs_input_grad[0]:
            context.save_for_backward(steps == inside)
        return inside.mul_(affine.scale)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (inside,) = context.saved_tensors
        return gradients[0] * inside, None


def fake_quantize(value: Tensor, affine: Affine) -> Tensor:
    """`value` rounded to the grid of `affine` and saturated; the gradient is 1 inside the range and 0 outside."""
    result: Tensor = _FakeQuantize.apply(value, affine)
    return result


class _Snap(torch.autograd.Function):
    """Nearest multiple of a power of two; the gradient passes."""

    @staticmethod
    def forward(_context: Any, value: Tensor, step: float) -> Tensor:
        return snap(value, step)

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def encode(value: Tensor, affine: Affine) -> Tensor:
    """The uint8 integers of `value`."""
    return (value / affine.scale).round_().add_(affine.zero_point).clamp_(0, LEVELS).to(torch.uint8)


def decode(integers: Tensor, affine: Affine) -> Tensor:
    """The float32 values of uint8 integers."""
    return (integers.to(torch.float32) - affine.zero_point) * affine.scale


def hooks(model: ir.Model, program: Program, scheme: Scheme) -> Hooks:
    """Simulate `scheme` on `program`, the program of `model`."""
    quantizes_input, quantizes_output = edges(program, scheme)

    def on_input(step: Step, name: str, value: Tensor) -> Tensor:
        if quantizes_input(step, name):
            return fake_quantize(value, scheme.activations[name])
        return on_grid(scheme, step, name, value)

    def on_output(step: Step, name: str, value: Tensor) -> Tensor:
        if quantizes_output(step, name):
            return fake_quantize(value, scheme.activations[name])
        return on_grid(scheme, step, name, value)

    return Hooks(constants(model, scheme), on_input, on_output)


def edges(program: Program, scheme: Scheme) -> tuple[Callable[[Step, str], bool], Callable[[Step, str], bool]]:
    """Two tests: whether an operand is quantised as this step reads it (a float operator or the image gives it), and
    whether a step's result is quantised as it is made."""
    integer = scheme.placement.integer
    made_in_integers = {step.output for step in program.steps if step.node in integer}

    def quantizes_input(step: Step, name: str) -> bool:
        return step.node in integer and name in scheme.activations and name not in made_in_integers

    def quantizes_output(step: Step, name: str) -> bool:
        return step.node in integer and name in scheme.activations

    return quantizes_input, quantizes_output


def on_grid(scheme: Scheme, step: Step, name: str, value: Tensor) -> Tensor:
    """A value that a float step reads or makes, rounded where the scheme has a grid for it."""
    grids = scheme.grids.steps
    if name not in grids or step.node in scheme.placement.integer:
        return value
    snapped: Tensor = _Snap.apply(value, grids[name])
    return snapped


def constants(model: ir.Model, scheme: Scheme) -> dict[str, Tensor]:
    """The weights, biases and constant operands that integers or grids stand for, by name."""
    found: dict[str, Tensor] = {}
    for node in model.graph:
        if node.name in scheme.grids.weights:
            exact = scheme.grids.weights[str(node.name)]
            for value, data in zip(node.inputs[1:], (exact.weight, exact.bias), strict=True):
                found[str(value.name if value else "")] = torch.from_numpy(data)
    for name in scheme.grids.steps.keys() & model.graph.initializers.keys():
        found[name] = snap(torch.tensor(array(model.graph.initializers[name])), scheme.grids.steps[name])
    for node in weighted_nodes(model, scheme.placement):
        image, weight, bias = (str(v.name) if v is not None else "" for v in node.inputs)
        arrays = dequantize(scheme.weights[str(node.name)], scheme.activations[image].scale)
        found[weight], found[bias] = (torch.from_numpy(a) for a in arrays)
    for name in scheme.placement.constants:
        affine = scheme.activations[name]
        found[name] = decode(torch.from_numpy(quantize_array(array(model.graph.initializers[name]), affine)), affine)
    return found
