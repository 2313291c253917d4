from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from melanoma_edge.bench import memory
from melanoma_edge.errors import InputError

MEGABYTE = 2**20
linux = pytest.mark.skipif(not memory.STATUS.is_file(), reason="only Linux tells")


def heavy(path: Path, megabytes: int) -> Path:
    """A network whose one dense layer has weights of so many megabytes."""
    width = megabytes * MEGABYTE // 4 // 192
    weights = np.random.default_rng(0).normal(size=(192, width)).astype(np.float32)
    last = np.ones((width, 2), np.float32)
    ends = [helper.make_tensor_value_info(n, 1, s) for n, s in (("image", [1, 3, 8, 8]), ("logits", [1, 2]))]
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["wide"]),
        helper.make_node("MatMul", ["wide", "v"], ["logits"]),
    ]
    kept = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(last, "v")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], kept)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@linux
def test_the_peak_grows_with_the_weights_and_not_with_the_runtime(tmp_path: Path) -> None:
    light, large = (memory.peak_memory(heavy(tmp_path / f"{size}.onnx", size)) for size in (1, 80))
    assert light is not None and large is not None
    assert light < 40 * MEGABYTE  # ONNX Runtime alone is more
    assert 70 * MEGABYTE < large - light < 320 * MEGABYTE  # read, parsed, packed


@linux
def test_a_file_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"m\.onnx cannot be run in a process of its own"):
        memory.peak_memory(tmp_path / "m.onnx")


def test_a_system_that_does_not_tell_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "missing")
    assert memory.peak_memory(tmp_path / "m.onnx") is None
