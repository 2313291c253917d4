"""A file that was damaged on its way is caught by a gate, and nothing is shipped; the same build undamaged ships."""

import shutil
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.made import Made
from melanoma_edge.options import CompileOptions, DataOptions, Gates, ProofOptions, QuantizeOptions
from melanoma_edge.pipeline import compile_network
from melanoma_edge.stages import emit, predict
from melanoma_edge.verify.predictions import Predictions

NETWORK = Path(__file__).parent / "networks" / "meshnet_synthetic.onnx"
INT8 = schema.TensorType.INT8


def build(output: Path) -> Made:
    options = CompileOptions(QuantizeOptions("static"), ProofOptions(bench_runs=1), Gates())
    plain = Normalization()
    return compile_network(output, ("tflite",), NETWORK, plain, DataOptions(), options)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("damage") / "honest"
    assert build(output).ships
    return output


@pytest.fixture
def again(honest: Path, tmp_path: Path) -> Path:
    """A copy of the honest build, from which everything behind the quantiser was taken away."""
    shutil.copytree(honest, tmp_path / "again")
    for stage in ("emit", "predict", "bench"):
        for path in sorted((tmp_path / "again" / ".work").glob(f"{stage}*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return tmp_path / "again"


def edited(change: Callable[[schema.ModelT], None]) -> Callable[..., None]:
    """`write` with a change to every 8-bit .tflite file that it writes."""
    original = emit.write

    def write(model: object, path: Path, *, about: object) -> None:
        original(model, path, about=about)
        if "float32" in path.name or path.suffix != ".tflite":
            return
        file = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        change(file)
        builder = flatbuffers.Builder(0)
        builder.Finish(file.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))

    return write


def convolutions(file: schema.ModelT) -> list[schema.TensorT]:
    """Weight tensors of the 8-bit convolutions."""
    graph = file.subgraphs[0]
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in file.operatorCodes]
    convs = [o for o in graph.operators if codes[o.opcodeIndex] == schema.BuiltinOperator.CONV_2D]
    return [w for o in convs if (w := graph.tensors[o.inputs[1]]).type == INT8]


def scale_off(layer: int) -> Callable[[schema.ModelT], None]:
    def change(file: schema.ModelT) -> None:
        weight = convolutions(file)[layer]
        weight.quantization.scale = np.asarray(weight.quantization.scale, np.float32) * np.float32(1.02)

    return change


def channels_swapped(file: schema.ModelT) -> None:
    weight = convolutions(file)[0]
    data = np.frombuffer(bytes(file.buffers[weight.buffer].data), np.int8).reshape(weight.shape)
    assert data.shape[-1] == 3
    file.buffers[weight.buffer].data = np.ascontiguousarray(data[..., ::-1]).view(np.uint8).flatten()


@pytest.mark.parametrize("change", [scale_off(0), scale_off(3), scale_off(-1), channels_swapped])
def test_a_damaged_file_is_caught(
    again: Path, change: Callable[[schema.ModelT], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emit, "write", edited(change))
    outcome = build(again)
    failed = {g["name"] for g in outcome.report["gates"] if not g["passed"]}
    assert "max_graph_dp" in failed and not outcome.ships
    assert not (again / "tflite").exists() and not (again / "manifest.json").exists()


def test_classes_swapped_on_one_image_in_a_hundred_are_caught(again: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = predict.predict_split

    def swapping(network: object, *arguments: object, **options: object) -> Predictions:
        found = original(network, *arguments, **options)
        if getattr(network, "runtime", "") != "onnxruntime":
            found.logits[::100] = found.logits[::100, ::-1]
        return found

    monkeypatch.setattr(predict, "predict_split", swapping)
    outcome = build(again)
    failed = {g["name"] for g in outcome.report["gates"] if not g["passed"]}
    assert {"max_graph_dp", "max_flip_rate"} <= failed or {"max_graph_dp", "max_auc_drop"} <= failed
    assert not outcome.ships


def test_the_copy_undamaged_ships_again(again: Path) -> None:
    assert build(again).ships
