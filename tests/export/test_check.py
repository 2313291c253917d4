"""A network brought from elsewhere is read, never run; what the compiler cannot take is refused in one line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_graphs import Builder

from melanoma_edge.errors import InputError
from melanoma_edge.export.check import Contract, check_contract


def classifier(size: int = 12, classes: int = 3) -> onnx.ModelProto:
    b = Builder((1, 3, size, size))
    x = b.op("Relu", b.conv(b.image, 4, 3, strides=[2, 2]))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return ir.to_proto(b.done(b.linear(x, classes)))


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "network.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_size_and_classes_are_read(tmp_path: Path) -> None:
    assert check_contract(saved(classifier(12, 3), tmp_path)) == Contract((3, 12, 12), 3)
    assert check_contract(saved(classifier(20, 2), tmp_path)) == Contract((3, 20, 20), 2)


def test_a_dynamic_batch_counts_as_one(tmp_path: Path) -> None:
    model = classifier()
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    assert check_contract(saved(model, tmp_path)) == Contract((3, 12, 12), 3)


def _set_input(shape: list[int], kind: int = TensorProto.FLOAT) -> Callable[[onnx.ModelProto], None]:
    return lambda model: model.graph.input[0].CopyFrom(helper.make_tensor_value_info("image", kind, shape))


def _add_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, [1, 1]))


def _add_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("val_0", TensorProto.FLOAT, [1, 4, 6, 6]))


def _unknown_operator(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    model.graph.node[1].domain, model.graph.node[1].op_type = "com.example", "Sharpen"


def _external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def _ends_in_sigmoid(model: onnx.ModelProto) -> None:
    model.graph.node[-1].output[0] = "raw"
    model.graph.node.append(helper.make_node("Sigmoid", ["raw"], ["p"]))
    model.graph.node.append(helper.make_node("Identity", ["p"], ["logits"]))


def _loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["x", "x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3]),
        ],
    )
    model.graph.node[-1].output[0] = "raw"
    model.graph.initializer.append(helper.make_tensor("often", TensorProto.INT64, [], [2**62]))
    model.graph.node.append(helper.make_node("Loop", ["often", "", "raw"], ["logits"], body=body))


def _grown(shape: list[int]) -> Callable[[onnx.ModelProto], None]:
    """Adds the sum of a tensor of `shape`, which a few bytes ask for, to the logits."""

    def grow(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "raw"
        model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape))
        model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["zeros"]))
        model.graph.node.append(helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0))
        model.graph.node.append(helper.make_node("Add", ["raw", "sum"], ["logits"]))

    return grow


def _grown_by_a_computed_shape(model: onnx.ModelProto) -> None:
    _grown([2, 2])(model)
    model.graph.initializer.append(helper.make_tensor("two", TensorProto.INT64, [], [30]))
    model.graph.node.insert(0, helper.make_node("Pow", ["shape", "two"], ["huge"]))
    next(n for n in model.graph.node if n.op_type == "ConstantOfShape").input[0] = "huge"


def _weight(number: float) -> Callable[[onnx.ModelProto], None]:
    def spoil(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        array = numpy_helper.to_array(tensor).copy()
        array.flat[3] = number
        tensor.CopyFrom(numpy_helper.from_array(array, "stem.weight"))
        model.graph.node[0].input[1] = "stem.weight"

    return spoil


def _quantized(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("scale", TensorProto.FLOAT, [], [0.1]))
    model.graph.node.insert(0, helper.make_node("QuantizeLinear", ["image", "scale"], ["q"]))
    model.graph.node.insert(1, helper.make_node("DequantizeLinear", ["q", "scale"], ["dq"]))
    model.graph.node[2].input[0] = "dq"


def _missing_weights(model: onnx.ModelProto) -> None:
    del model.graph.initializer[0]


def _old_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 11


def _no_nodes(model: onnx.ModelProto) -> None:
    del model.graph.node[:]


REFUSED = {
    "wrong channels": (_set_input([1, 1, 12, 12]), r"input 'image' float32 \[1,1,12,12\]"),
    "not square": (_set_input([1, 3, 12, 16]), r"\[1,3,12,16\]"),
    "unknown size": (_set_input([1, 3, 0, 0]), r"float32 \[1,3,S,S\]"),
    "batch of 8": (_set_input([8, 3, 12, 12]), r"\[8,3,12,12\]"),
    "half precision": (_set_input([1, 3, 12, 12], TensorProto.FLOAT16), "float16"),
    "NHWC": (_set_input([1, 12, 12, 3]), r"\[1,12,12,3\]"),
    "two inputs": (_add_input, "2 inputs"),
    "two outputs": (_add_output, "2 outputs"),
    "old opset": (_old_opset, "opset 11: export with opset 13"),
    "unknown operator": (_unknown_operator, "com.example.Sharpen"),
    "external weights": (_external, "weights.bin"),
    "probabilities of each class alone": (_ends_in_sigmoid, "ends in Sigmoid"),
    "a loop": (_loop, "holds operator Loop"),
    "a tensor of 16 GiB": (_grown([1, 65536, 65536]), r"4,294,967,296 elements \(16 GiB\); at most 268,435,456"),
    "a tensor of a size that is computed": (_grown_by_a_computed_shape, "does not follow from the graph"),
    "a huge image": (_set_input([1, 3, 32768, 32768]), "32,768 x 32,768 pixels: at most 4,096"),
    "a weight that is not a number": (_weight(np.nan), "weight 'stem.weight' of Conv .* 1 values"),
    "an infinite weight": (_weight(np.inf), "weight 'stem.weight' of Conv .*the first is inf"),
    "quantised": (_quantized, "quantised already"),
    "missing weights": (_missing_weights, "not a valid ONNX network"),
    "empty": (_no_nodes, "no operators"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why_in_one_line(name: str, tmp_path: Path) -> None:
    spoil, message = REFUSED[name]
    model = classifier()
    spoil(model)
    with pytest.raises(InputError, match=message) as caught:
        check_contract(saved(model, tmp_path))
    assert "\n" not in str(caught.value)
    assert "network.onnx" in str(caught.value)


def test_an_infinite_bound_is_no_weight(tmp_path: Path) -> None:
    b = Builder((1, 3, 12, 12))
    x = b.op("Clip", b.conv(b.image, 4, 3), b.const(0.0), b.const(np.inf))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    assert check_contract(saved(ir.to_proto(model), tmp_path)) == Contract((3, 12, 12), 2)


def test_one_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least two classes"):
        check_contract(saved(classifier(classes=1), tmp_path))


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a file"):
        check_contract(tmp_path / "absent.onnx")
    for content in (b"", b"not a network", np.random.default_rng(0).bytes(1000)):
        path = tmp_path / "network.onnx"
        path.write_bytes(content)
        with pytest.raises(InputError, match="not an ONNX file"):
            check_contract(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999))
def test_a_truncated_file_is_refused(cut: float, tmp_path: Path) -> None:
    data = classifier().SerializeToString()
    path = tmp_path / "network.onnx"
    path.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(InputError):
        check_contract(path)
