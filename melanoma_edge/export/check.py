"""What an ONNX classifier brought from elsewhere must be, checked by reading it: nothing in it is run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError

from melanoma_edge.errors import InputError
from melanoma_edge.export import bounds, ending

MIN_OPSET = 13
MAX_BYTES = 1 << 31  # protobuf's own limit for one message
DOMAINS = ("", "ai.onnx")
WANTED_INPUT = "one input, float32 [1,3,S,S] (the first dimension may be dynamic)"
WANTED_ANY_INPUT = WANTED_INPUT.replace("3,S,S", "C,H,W")
WANTED_OUTPUT = "one output, float32 logits [1,K] with at least two classes (the first dimension may be dynamic)"


@dataclass(frozen=True)
class Contract:
    """image: channels, height and width of the input. classes: number of logits."""

    image: tuple[int, int, int]
    classes: int

    @property
    def size(self) -> int:
        """Side of a square image."""
        return self.image[1]


@dataclass(frozen=True)
class Network:
    """A network that the compiler can take. model: batch of one, shapes inferred, without a Softmax at its end. cut:
    what was cut off there.
    """

    contract: Contract
    model: onnx.ModelProto
    cut: str | None


def check_contract(path: Path) -> Contract:
    """The contract of an ONNX file. Raises as `read_network`."""
    return read_network(path).contract


def read_network(path: Path, *, any_image: bool = False) -> Network:
    """Read an ONNX file and check that the compiler can take it, at the image size that its input states.

    any_image: of any channels and sides, not of three channels and square.

    Raises InputError, in one line that says what was found and what would be accepted, for: a missing or corrupt file,
    weights in external files or not finite, other inputs or outputs than a classifier's, an opset below 13, operators
    of unknown domains, control flow, tensors beyond the limits of `bounds`, a Sigmoid at the end, a network that is
    quantised already.
    """
    model = _read(path)
    _check_self_contained(model, path)
    _check_operators(model, path)
    _check_valid(model, path)
    bounds.check_weights(model, path)
    image = _check_input(model, path, any_image)
    model = _infer_shapes(model, path)
    bounds.check_sizes(model, path)
    classes = _check_output(model, path)
    return Network(Contract(image, classes), model, ending.cut_softmax(model, path))


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise InputError(f"{path} is not a file: name an ONNX file")
    if path.stat().st_size >= MAX_BYTES:
        raise InputError(f"{path} is larger than 2 GiB: an ONNX file with all weights inside is smaller")
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise InputError(f"{path} is not an ONNX file: {_first_line(error)}") from None
    if not model.graph.node or not model.opset_import:
        raise InputError(f"{path} is not an ONNX file with a network: it holds no operators")
    return model


def _check_self_contained(model: onnx.ModelProto, path: Path) -> None:
    tensors = [*model.graph.initializer]
    for node in _nodes(model):
        for attribute in node.attribute:
            tensors += [attribute.t, *attribute.tensors, *attribute.g.initializer]
    entries = [e for t in tensors if t.data_location == onnx.TensorProto.EXTERNAL for e in t.external_data]
    files = sorted({entry.value for entry in entries if entry.key == "location"})
    if files:
        raise InputError(
            f"{path} keeps weights in other files ({', '.join(files[:3])}): save it with all weights inside, "
            "e.g. onnx.save(onnx.load(source), path)"
        )


def _check_operators(model: onnx.ModelProto, path: Path) -> None:
    opset = next((entry.version for entry in model.opset_import if entry.domain in DOMAINS), 0)
    if opset < MIN_OPSET:
        raise InputError(f"{path} has opset {opset}: export with opset {MIN_OPSET} or later")
    own = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise InputError(
                f"{path} holds operator {node.domain}.{node.op_type} (node {node.name!r}): only ONNX's own are known"
            )
        bounds.check_control_flow(node, path)
        if node.op_type in ("QuantizeLinear", "DequantizeLinear", "QLinearConv"):
            raise InputError(f"{path} is quantised already ({node.op_type}): bring the float network it was made from")


def _check_input(model: onnx.ModelProto, path: Path, any_image: bool) -> tuple[int, int, int]:
    """The image's channels, height and width. Sets a dynamic batch to 1 in `model`."""
    wanted = WANTED_ANY_INPUT if any_image else WANTED_INPUT
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise InputError(f"{path} has {len(inputs)} inputs: {wanted} is accepted")
    tensor, found = inputs[0].type.tensor_type, _describe(inputs[0])
    sides = [d.dim_value for d in tensor.shape.dim]
    is_image = len(sides) == 4 and min(sides[1:]) > 0 and (any_image or (sides[1] == 3 and sides[2] == sides[3]))
    if tensor.elem_type != onnx.TensorProto.FLOAT or not is_image or not _is_one_or_dynamic(tensor.shape.dim[0]):
        raise InputError(f"{path} has input {found}: {wanted} is accepted")
    bounds.check_side(max(sides[2:]), path)
    tensor.shape.dim[0].dim_value = 1
    return int(sides[1]), int(sides[2]), int(sides[3])


def _check_valid(model: onnx.ModelProto, path: Path) -> None:
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise InputError(f"{path} is not a valid ONNX network: {_first_line(error)}") from None


def _infer_shapes(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """`model` with shapes inferred; those that state a dynamic batch are inferred anew, now that it is 1."""
    del model.graph.value_info[:]
    for value in model.graph.output:
        if any(not d.HasField("dim_value") for d in value.type.tensor_type.shape.dim):
            value.type.tensor_type.ClearField("shape")
    try:
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError) as error:
        raise InputError(f"{path} is not a valid ONNX network: {_first_line(error)}") from None


def _check_output(model: onnx.ModelProto, path: Path) -> int:
    outputs = model.graph.output
    if len(outputs) != 1:
        raise InputError(f"{path} has {len(outputs)} outputs: {WANTED_OUTPUT} is accepted")
    tensor, found = outputs[0].type.tensor_type, _describe(outputs[0])
    shape = tensor.shape.dim
    is_logits = len(shape) == 2 and shape[1].dim_value >= 2 and _is_one_or_dynamic(shape[0])
    if tensor.elem_type != onnx.TensorProto.FLOAT or not is_logits:
        raise InputError(f"{path} has output {found}: {WANTED_OUTPUT} is accepted")
    return int(shape[1].dim_value)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of functions and of branches and loop bodies too."""
    pending = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    while pending:
        node = pending.pop()
        yield node
        for attribute in node.attribute:
            pending.extend(attribute.g.node)
            for nested in attribute.graphs:
                pending.extend(nested.node)


def _is_one_or_dynamic(dimension: onnx.TensorShapeProto.Dimension) -> bool:
    return not dimension.HasField("dim_value") or int(dimension.dim_value) == 1


def _describe(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    dims = ",".join(str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in tensor.shape.dim)
    kind = "float32" if tensor.elem_type == onnx.TensorProto.FLOAT else ir.DataType(tensor.elem_type).name.lower()
    return f"{value.name!r} {kind} [{dims}]"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
