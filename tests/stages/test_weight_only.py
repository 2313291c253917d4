"""ONNX Runtime makes of the file with small weights what it makes of the float file: the same operators."""

from collections import Counter
from functools import partial
from pathlib import Path

import onnx
import onnx_ir as ir
import onnxruntime as ort
import pytest
from small_network import SIZE, mobile

from melanoma_edge.artifact import Stage, run_stage
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.stages import data as data_stage
from melanoma_edge.stages import weight_only
from melanoma_edge.stages.export import MODEL

CODE = "melanoma_edge.artifact"  # any module: what a test makes is not made by it


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The float graph with hard-swish, hard-sigmoid, swish and relu6, as `stages.export` leaves it."""
    folder = tmp_path_factory.mktemp("float") / "export"
    return run_stage(folder, lambda f: ir.save(mobile(("clean",)), f / MODEL), inputs={}, code=CODE, options={})


def optimised(path: Path, folder: Path, level: ort.GraphOptimizationLevel) -> Counter[str]:
    """The operators that a session runs."""
    options = ort.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = level, 3
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Counter(f"{node.domain}:{node.op_type}" for node in onnx.load(folder / "optimised.onnx").graph.node)


@pytest.mark.parametrize("level", ["ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])  # a browser's, and this processor's
def test_a_session_runs_the_float_files_operators(
    level: str, exported: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_only, "weight_only", partial(weight_only.weight_only, smallest=0))
    images = data_stage.prepare(tmp_path, DataOptions("synthetic:120"), size=SIZE, train=False, progress=silent)
    made = weight_only.run(tmp_path, exported, images, silent)
    stored = onnx.load(made.folder / MODEL).graph.node
    assert sum(node.op_type == "DequantizeLinear" for node in stored) > 5
    which = getattr(ort.GraphOptimizationLevel, level)
    light, plain = (optimised(s.folder / MODEL, tmp_path, which) for s in (made, exported))
    assert light == plain
