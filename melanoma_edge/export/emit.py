"""Writes a .tflite file, float32, 8-bit or mixed, from an ONNX graph."""

from pathlib import Path

import onnx_ir as ir
from onnx_ir.passes import common

from melanoma_edge import graph, operators
from melanoma_edge.archive import archive
from melanoma_edge.artifact import write_atomic
from melanoma_edge.errors import InputError
from melanoma_edge.export.plan import make_plan
from melanoma_edge.tflite import layout, metadata, schema, versions
from melanoma_edge.tflite.affine import constant_integers, per_tensor
from melanoma_edge.tflite.emission import Emission

INPUT, OUTPUT = "image", "logits"


def emit(model: ir.Model, path: Path, *, name: str, about: metadata.About | None = None) -> None:
    """Write `model` to `path`, whole or not at all; the same model gives the same bytes.

    model: as the clean passes leave it (float) or as the quantiser does (QuantizeLinear and DequantizeLinear pairs;
    mixed is fine), one static input. In the file images are NHWC, input and output are float32, and the signature
    `serving_default` names them `image` and `logits` (further outputs keep their names). about: what the file's TFLite
    Metadata tell, which change nothing that it computes.
    Raises UnsupportedOperatorError when the graph holds what TFLite, or this emitter, cannot express.
    """
    write_atomic(path, to_bytes(model, name=name, about=about))


def to_bytes(model: ir.Model, *, name: str, about: metadata.About | None = None) -> bytes:
    """The bytes that `emit` writes."""
    common.ShapeInferencePass()(model)
    emission = Emission(make_plan(model), operators.tflite_versions())
    (image,) = model.graph.inputs
    shape = graph.dims(image)
    if shape is None:
        raise InputError(f"input {image.name!r} has shape {image.shape}: TFLite needs it fixed")
    emission.tensors[image] = emission.tensor(INPUT, layout.shape(shape, emission.is_image(image)))
    for node in model.graph:
        if node in emission.plan.swallowed:
            continue
        if graph.is_quantize(node):
            _quantize(node, emission)
        elif not graph.is_dequantize(node):
            operators.of(node).write(node, emission)
    outputs = {}
    for n, value in enumerate(model.graph.outputs):
        tensor = emission.real(value)
        label = OUTPUT if n == 0 else str(value.name)
        emission.builder.tensors[tensor].name = label
        outputs[label] = tensor
    told = {}
    if about is not None:
        told[metadata.NAME] = metadata.metadata(name, about, shape[-1], tuple(outputs))
    packed = emission.builder.pack(
        name=name,
        inputs={INPUT: emission.tensors[image]},
        outputs=outputs,
        min_runtime=versions.newest(emission.runtimes),
        metadata=told,
    )
    return packed if about is None else archive(metadata.files(about), behind=packed)


def _quantize(node: ir.Node, e: Emission) -> None:
    """A QuantizeLinear that no operator swallowed: of a float value, or from one 8-bit scale to another."""
    source, target = node.inputs[0], node.outputs[0]
    if source is None:
        raise InputError(f"QuantizeLinear {node.name!r} has no input")
    from_integers = graph.dequantizer(source)
    quantization = per_tensor(node)
    if from_integers is not None and constant_integers(from_integers) is None:
        data = e.integer(source)
        if e.quantizations[data].key == quantization.key:
            e.tensors[target] = data
            return
    else:
        data = e.real(source)
    e.tensors[target] = e.tensor(str(target.name), e.shape(data), quantization)
    e.op("QUANTIZE", [data], [e.tensors[target]], schema.QuantizeOptionsT())
