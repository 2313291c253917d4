"""Operators of a .tflite file with their times.

The interpreter's Python package has no profiler, so the file is cut off behind each operator in turn: the difference of
two neighbours is the operator's time, in its place, with its caches.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from sklearn.isotonic import IsotonicRegression

from melanoma_edge.bench.explain import Operator
from melanoma_edge.bench.latency import interleave
from melanoma_edge.bench.partitions import homes, partitions
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.runtime import litert

__all__ = ["METHOD", "partitions", "profile"]

METHOD = "median time of the file cut off behind each operator, made monotone; differences of neighbours"
TYPES = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
FUSED = ("PAD",)  # XNNPACK makes it part of the convolution behind it, and its time with it
NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


def profile(path: Path, *, runs: int = 100, progress: Progress = silent) -> list[Operator]:
    """One Operator for each of the file's. Raises InputError when the file has more than one subgraph or cannot run."""
    litert.allocate(path)  # says what is wrong with a file that is none
    data = path.read_bytes()
    graph = _parse(data)
    if len(graph.subgraphs) != 1:
        raise InputError(f"{path} has {len(graph.subgraphs)} subgraphs: one can be explained")
    names, where = _names(graph), homes(path)
    last = len(names) - 1
    ends = [i for i, name in enumerate(names) if i == last or name not in FUSED or where[i] is None]
    times = _times(data, ends, runs, progress)
    return list(_rows(graph, names, times, where))


def _names(graph: Any) -> list[str]:
    codes = [graph.operatorCodes[operator.opcodeIndex] for operator in graph.subgraphs[0].operators]
    return [NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in codes]


def _rows(
    graph: Any, names: Sequence[str], times: Mapping[int, float], where: Sequence[int | None]
) -> Iterator[Operator]:
    tensors = graph.subgraphs[0].tensors
    for i, (name, operator, home) in enumerate(zip(names, graph.subgraphs[0].operators, where, strict=True)):
        made, read = tensors[operator.outputs[0]], tensors[operator.inputs[0]]
        owner = "TFLite" if home is None else "XNNPACK"
        fused = "" if i in times else ", fused into the next"
        yield Operator(name, f"{owner} {TYPES[read.type]}{fused}", home, made.name.decode(), times.get(i, 0.0))


def _times(data: bytes, ends: Sequence[int], runs: int, progress: Progress) -> dict[int, float]:
    """Milliseconds on one thread that each of the operators `ends` takes, with what is before it since the last."""
    with tempfile.TemporaryDirectory() as scratch:
        calls = {}
        for done, end in enumerate(ends, 1):
            part = Path(scratch) / f"{end}.tflite"
            part.write_bytes(_cut(data, end + 1))
            calls[str(end)] = litert.allocate(part).invoke
            progress("cutting", done, len(ends))
        times = interleave(calls, runs=runs, progress=progress)
    medians = [float(np.median(times[str(end)])) / 1e6 for end in ends]
    upto = IsotonicRegression(y_min=0.0).fit_transform(np.arange(len(ends)), medians)
    return {end: float(step) for end, step in zip(ends, np.diff(upto, prepend=0.0), strict=True)}


def _cut(data: bytes, count: int) -> bytes:
    """The file's first `count` operators; outputs are what the others would read, so that nothing falls away."""
    model = _parse(data)
    graph = model.subgraphs[0]
    rest = graph.operators[count:]
    graph.operators = graph.operators[:count]
    made = [int(index) for operator in graph.operators for index in operator.outputs]
    wanted = {int(index) for operator in rest for index in operator.inputs} | {int(index) for index in graph.outputs}
    graph.outputs = [tensor for tensor in made if tensor in wanted]
    model.signatureDefs = []
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _parse(data: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(data, 0)
