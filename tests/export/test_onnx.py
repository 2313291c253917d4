"""The ONNX file computes what torch does, holds nothing of this machine and has equal bytes for equal weights."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from melanoma_edge import models
from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.export import onnx as export
from melanoma_edge.export.onnx import clean, export_onnx

SIZE = 64


def network(arch: str, classes: int = 2) -> torch.nn.Module:
    """Random weights, and batch norms and biases that are not the identity, as after training."""
    torch.manual_seed(0)
    model = models.create(arch, classes).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, torch.nn.Conv2d | torch.nn.Linear) and module.bias is not None:
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return model


def run(path: Path, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"image": image})[0]


@pytest.mark.parametrize("arch", models.names())
def test_every_backbone(arch: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model, path = network(arch), tmp_path / "model.onnx"
    report = export_onnx(model, SIZE, path)
    assert capfd.readouterr() == ("", "")
    proto = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(proto, full_check=True)
    assert report.opset == proto.opset_import[0].version >= 18
    assert report.bytes == path.stat().st_size
    assert sum(report.operators.values()) == len(proto.graph.node)
    assert "BatchNormalization" not in report.operators, "batch norm is folded"
    assert [(i.name, [d.dim_value for d in i.type.tensor_type.shape.dim]) for i in proto.graph.input] == [
        ("image", [1, 3, SIZE, SIZE])
    ]
    assert [(o.name, [d.dim_value for d in o.type.tensor_type.shape.dim]) for o in proto.graph.output] == [
        ("logits", [1, 2])
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"], "no external data"
    image = np.random.default_rng(5).normal(0, 1, (1, 3, SIZE, SIZE)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(image)).numpy()
    found = run(path, image)
    assert report.max_abs_difference <= 1e-4 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * max(1, np.abs(expected).max()))
    assert np.ptp(expected) > 1e-3, "a constant network would prove nothing"


def test_nothing_of_this_machine_is_in_the_file(tmp_path: Path) -> None:
    export_onnx(network("meshnet"), SIZE, tmp_path / "model.onnx")
    data = (tmp_path / "model.onnx").read_bytes()
    for trace in (b".py", b"site-packages", b"melanoma", str(Path.home()).encode(), str(Path.cwd()).encode()):
        assert trace not in data, trace
    proto = onnx.load_from_string(data)
    assert not proto.metadata_props
    assert not proto.doc_string
    assert not any(node.doc_string or node.metadata_props for node in proto.graph.node)


def test_equal_weights_give_equal_bytes_in_another_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from melanoma_edge.train.weights import load_model;"
        "from melanoma_edge.export.onnx import export_onnx;"
        "export_onnx(load_model(Path(sys.argv[1]))[0], 32, Path(sys.argv[2]))"
    )
    from melanoma_edge.train.weights import save_model

    model = network("meshnet")
    save_model(tmp_path / "m.safetensors", model, models.spec("meshnet", 2, image_size=32), ("other", "melanoma"))
    export_onnx(model, 32, tmp_path / "here.onnx")
    command = [sys.executable, "-c", script, str(tmp_path / "m.safetensors"), str(tmp_path / "there.onnx")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert (tmp_path / "here.onnx").read_bytes() == (tmp_path / "there.onnx").read_bytes()


def test_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    model = network("meshnet").train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    export_onnx(model, 32, tmp_path / "model.onnx")
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("damage", [lambda x: x + 2e-4, lambda x: x * np.float32("nan")])
def test_a_file_that_computes_something_else_is_not_written(
    damage: Callable[[np.ndarray], np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = export._session

    class Damaged:
        def __init__(self, data: bytes, name: object) -> None:
            self.session = genuine(data, name)

        def run(self, *arguments: object) -> list[np.ndarray]:
            return [damage(values) for values in self.session.run(*arguments)]

    monkeypatch.setattr(export, "_session", Damaged)
    with pytest.raises(EdgeError, match="differ from the source's by"):
        export_onnx(network("meshnet"), 32, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def foreign(path: Path, opset: int, batch: int | str = 1) -> np.ndarray:
    """Another tool's classifier, with other names, an old opset and notes about its author's disk; its weights."""
    weight = np.random.default_rng(0).normal(0, 0.1, (2, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3], doc_string="/home/someone/net.py"),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("GlobalAveragePool", ["b"], ["c"]),
        helper.make_node("Flatten", ["c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 2])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    model.metadata_props.add(key="source", value="/home/someone")
    onnx.save(model, path)
    return weight


@pytest.mark.parametrize(("opset", "batch"), [(11, 1), (13, "N"), (18, 1), (20, "N")])
def test_a_network_from_elsewhere_becomes_one_of_ours(opset: int, batch: int | str, tmp_path: Path) -> None:
    weight = foreign(tmp_path / "theirs.onnx", opset, batch)
    report = clean(tmp_path / "theirs.onnx", tmp_path / "ours.onnx", (3, 16, 16), Normalization())
    assert report.opset == max(opset, 18)
    assert "Identity" not in report.operators
    assert b"someone" not in (tmp_path / "ours.onnx").read_bytes()
    image = np.random.default_rng(1).normal(0, 1, (1, 3, 16, 16)).astype(np.float32)
    expected = torch.nn.functional.conv2d(torch.from_numpy(image), torch.from_numpy(weight)).mean((2, 3)).numpy()
    np.testing.assert_allclose(run(tmp_path / "ours.onnx", image), expected, atol=1e-5)


def test_weights_listed_among_the_inputs_stay_weights(tmp_path: Path) -> None:
    foreign(tmp_path / "theirs.onnx", 13)
    model = onnx.load(tmp_path / "theirs.onnx")
    model.graph.input.insert(0, helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 3, 3, 3]))
    onnx.save(model, tmp_path / "theirs.onnx")
    clean(tmp_path / "theirs.onnx", tmp_path / "ours.onnx", (3, 16, 16), Normalization())
    assert [value.name for value in onnx.load(tmp_path / "ours.onnx").graph.input] == ["image"]


def test_what_onnxruntime_refuses_is_the_users_to_mend_in_one_line(tmp_path: Path) -> None:
    foreign(tmp_path / "theirs.onnx", 13)
    model = onnx.load(tmp_path / "theirs.onnx")
    model.graph.node[0].attribute.append(helper.make_attribute("auto_pad", "SIDEWAYS"))
    onnx.save(model, tmp_path / "theirs.onnx")
    with pytest.raises(InputError, match=r"theirs\.onnx is not a model that ONNX Runtime .* can run") as caught:
        clean(tmp_path / "theirs.onnx", tmp_path / "ours.onnx", (3, 16, 16), Normalization())
    assert "\n" not in str(caught.value)


def test_logits_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    foreign(tmp_path / "theirs.onnx", 13)
    model = onnx.load(tmp_path / "theirs.onnx")
    model.graph.node[1].CopyFrom(helper.make_node("Log", ["a"], ["b"]))
    onnx.save(model, tmp_path / "theirs.onnx")
    with pytest.raises(InputError, match="answers nan"):
        clean(tmp_path / "theirs.onnx", tmp_path / "ours.onnx", (3, 16, 16), Normalization())


@pytest.mark.data
@pytest.mark.parametrize("name", ["meshnet_160", "mobilenet_v3_small_160"])
def test_the_trained_networks(name: str, networks: Path, tmp_path: Path) -> None:
    given = networks / f"{name}.onnx"
    assert clean(given, tmp_path / "ours.onnx", (3, 160, 160), Normalization()).max_abs_difference < 1e-5
