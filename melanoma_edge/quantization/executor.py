"""Runs an onnx_ir graph in torch, for any batch, with constants and values that the caller may replace.

The same machinery serves calibration (look at values), fake quantisation (replace values, with gradients), bias
correction (one node at a time) and sensitivity (replace some).
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from torch import Tensor

from melanoma_edge.data.preprocess import Scaling, normalize
from melanoma_edge.errors import UnsupportedOperatorError
from melanoma_edge.operators import Apply, supported

Images = NDArray[Any]  # of what kind, `Batches` says
Edge = Callable[["Step", str, Tensor], Tensor]
BATCH = 16


@dataclass(frozen=True)
class Step:
    """One node: `inputs` are value names ("" where left out), `output` the one value it makes. weighted: see
    `operators.Operator`.
    """

    node: str
    weighted: bool
    inputs: tuple[str, ...]
    output: str
    apply: Apply


@dataclass(frozen=True)
class Program:
    """A graph ready to run. `last_use` maps a value to the index of the step after which nothing reads it."""

    steps: tuple[Step, ...]
    image: str
    output: str
    constants: Mapping[str, Tensor]
    last_use: Mapping[str, int]


def load(model: ir.Model) -> Program:
    """Prepare a graph of one input and one output.

    Raises UnsupportedOperatorError for an operator without a rule, or a graph of another form.
    """
    graph = model.graph
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise UnsupportedOperatorError(
            f"a graph with one input and one output can be quantized, this one has {len(graph.inputs)} and "
            f"{len(graph.outputs)}"
        )
    steps = tuple(_step(node) for node in graph)
    output = str(graph.outputs[0].name)
    last_use = {name: i for i, step in enumerate(steps) for name in step.inputs}
    constants = {
        name: torch.from_numpy(np.array(value.const_value.numpy()))
        for name, value in graph.initializers.items()
        if value.const_value is not None
    }
    return Program(steps, str(graph.inputs[0].name), output, constants, {**last_use, output: len(steps)})


def evaluate(
    step: Step, values: Mapping[str, Tensor], constants: Mapping[str, Tensor], on_input: Edge | None = None
) -> Tensor:
    """The output of one step. `on_input(step, name, value)` replaces a variable operand as this step reads it."""
    operands: list[Tensor | None] = []
    for name in step.inputs:
        if not name:
            operands.append(None)
        elif name in values:
            operands.append(on_input(step, name, values[name]) if on_input else values[name])
        else:
            operands.append(constants[name])
    return step.apply(operands)


def run(
    program: Program,
    image: Tensor,
    *,
    constants: Mapping[str, Tensor] | None = None,
    keep: Collection[str] = (),
    on_input: Edge | None = None,
    on_output: Edge | None = None,
) -> dict[str, Tensor]:
    """Run a float32 NCHW batch; returns the output and the values named in `keep`, after `on_output` replaced them.

    constants: replacements for initializers of the same name (weights that a correction tries).
    """
    given = {**program.constants, **(constants or {})}
    values, kept = {program.image: image}, {}
    for index, step in enumerate(program.steps):
        result = evaluate(step, values, given, on_input)
        values[step.output] = on_output(step, step.output, result) if on_output else result
        if step.output in keep:
            kept[step.output] = values[step.output]
        for name in {*step.inputs, step.output}:
            if program.last_use.get(name, -1) <= index:
                values.pop(name, None)
    return {**kept, program.output: values[program.output]}


@dataclass(frozen=True)
class Batches:
    """Images as float32 NCHW batches, in order, made anew each time they are gone through: uint8 `[N, H, W, C]`, which
    `spec` normalises (channels last in memory), or, without one, float32 `[N, C, H, W]` as the network takes them.
    """

    images: Images
    spec: Scaling | None
    size: int = BATCH

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.size)

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self.images), self.size):
            part = np.asarray(self.images[start : start + self.size])
            if self.spec is None:
                yield torch.from_numpy(np.ascontiguousarray(part, np.float32))
            else:
                batch = normalize(part, self.spec)
                yield torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2)


def _step(node: ir.Node) -> Step:
    operator = supported(node)
    inputs = tuple("" if v is None else str(v.name) for v in node.inputs)
    return Step(str(node.name), operator.weighted, inputs, str(node.outputs[0].name), operator.meaning(node))
