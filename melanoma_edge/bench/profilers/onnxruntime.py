"""Operators of an .onnx file as ONNX Runtime runs them after its own rewriting, with the times of its profiler."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from melanoma_edge.bench.explain import Operator
from melanoma_edge.bench.latency import WARM_UP
from melanoma_edge.graph import QUANTIZE
from melanoma_edge.progress import Progress, silent
from melanoma_edge.runtime import ort

METHOD = "ONNX Runtime's own profile, mean over the runs; it makes each operator a little slower"
SUFFIX = "_kernel_time"  # of the events that time one operator


def partitions(path: Path) -> None:
    """None: no delegate takes parts of the graph."""


def profile(path: Path, *, runs: int = 100, progress: Progress = silent) -> list[Operator]:
    """One Operator for each of the rewritten graph's. Raises InputError when the file cannot be run."""
    size = ort.load(path).spec.size
    image = np.random.default_rng(0).normal(size=(1, 3, size, size)).astype(np.float32)
    with tempfile.TemporaryDirectory() as scratch:
        session = ort.profiling(path, Path(scratch))
        feed = {session.get_inputs()[0].name: image}
        for done in range(WARM_UP + runs):
            session.run(None, feed)
            progress("profiling", done + 1, WARM_UP + runs)
        events = json.loads(Path(session.end_profiling()).read_text())
    spent: dict[str, list[float]] = defaultdict(list)
    kinds: dict[str, tuple[str, str]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(SUFFIX):
            name = event["name"].removesuffix(SUFFIX)
            spent[name].append(event["dur"] / 1e3)
            kinds[name] = (event["args"]["op_name"], _numbers(event["args"]))
    made = _values(path)
    return [
        Operator(kinds[name][0], f"ORT {kinds[name][1]}", None, _value(name, made), float(np.mean(times[WARM_UP:])))
        for name, times in spent.items()
    ]


def _values(path: Path) -> dict[str, str]:
    """What the file's nodes make, by the names of nodes and values: integers where a QuantizeLinear comes next."""
    graph = onnx.load(path, load_external_data=False).graph
    integers = {node.input[0]: node.output[0] for node in graph.node if node.op_type == QUANTIZE}
    made = {node.name: integers.get(node.output[0], node.output[0]) for node in graph.node}
    return made | {value: integers.get(value, value) for node in graph.node for value in node.output}


def _value(name: str, made: Mapping[str, str]) -> str:
    """The value of a rewritten node: its name starts with that of the node, or the value, that it came from."""
    known = max((key for key in made if key and name.startswith(key)), key=len, default="")
    return made.get(known, name)


def _numbers(arguments: dict[str, list[dict[str, object]]]) -> str:
    """The type of the first operand."""
    return next((kind for entry in arguments.get("input_type_shape", []) for kind in entry), "")
