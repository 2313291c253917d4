"""How much of a .tflite file the XNNPACK delegate takes, and in how many pieces: every piece boundary costs copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from melanoma_edge.errors import InputError
from melanoma_edge.runtime import litert

DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Partitions:
    """`partitions` delegate calls for `operators` operators; `outside` are those left to the interpreter's kernels."""

    partitions: int
    operators: int
    outside: tuple[str, ...]


def partitions(path: Path) -> Partitions | None:
    """Delegate partitions of a .tflite file, None when the installed interpreter cannot tell.

    Raises InputError when the file cannot be run.
    """
    interpreter = litert.allocate(path)
    details = getattr(interpreter, "_get_ops_details", None)  # the only place where interpreters tell
    return None if details is None else count(details())


def homes(path: Path) -> list[int | None]:
    """The delegate partition of each operator of a .tflite file, None for those that the interpreter runs itself.

    Raises InputError when the file cannot be run, or the installed interpreter cannot tell.
    """
    details = getattr(litert.allocate(path), "_get_ops_details", None)
    if details is None:
        raise InputError("the installed TFLite interpreter does not tell its operators: pip install ai-edge-litert")
    nodes = details()
    operators = [node for node in nodes if node["op_name"] != DELEGATE]
    inside = _inside([node for node in nodes if node["op_name"] == DELEGATE], operators)
    return [inside.get(i) for i in range(len(operators))]


def count(nodes: Sequence[Mapping[str, Any]]) -> Partitions:
    """Partitions of a graph after delegation: nodes with `op_name`, `inputs` and `outputs` (tensor indices).

    The list still has the operators that a delegate replaced; they are found by going back from its outputs to its
    inputs.
    """
    delegates = [node for node in nodes if node["op_name"] == DELEGATE]
    operators = [node for node in nodes if node["op_name"] != DELEGATE]
    inside = _inside(delegates, operators)
    outside = tuple(str(node["op_name"]) for i, node in enumerate(operators) if i not in inside)
    return Partitions(len(delegates), len(operators), outside)


def _inside(delegates: Sequence[Mapping[str, Any]], operators: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """The delegate call that runs each operator, both by their place in the lists."""
    made_by = {int(tensor): i for i, node in enumerate(operators) for tensor in node["outputs"]}
    inside: dict[int, int] = {}
    for number, delegate in enumerate(delegates):
        inputs = {int(tensor) for tensor in delegate["inputs"]}
        wanted = [int(tensor) for tensor in delegate["outputs"]]
        while wanted:
            tensor = wanted.pop()
            maker = made_by.get(tensor)
            if tensor in inputs or maker is None or maker in inside:
                continue
            inside[maker] = number
            wanted += [int(index) for index in operators[maker]["inputs"]]
    return inside
