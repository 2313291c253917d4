"""TFLite Metadata: what a file says of its input and outputs to ML Kit, MediaPipe, the Task Library and Netron.

The format is metadata_schema.fbs 1.1.0 of github.com/tensorflow/tflite-support, a FlatBuffer in a buffer of the file.
TABLES has what is used of it. The files that it names lie in a zip archive behind the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np

from melanoma_edge.artifact import HEAT_MAP

NAME = "TFLITE_METADATA"  # of the model's entry that names the buffer
FILE_IDENTIFIER = b"M001"
MIN_PARSER = "1.0.0"  # the oldest that knows every field used here
LABELS = "labels.txt"
WHITE = 255.0

# Fields in the schema's order, which is what numbers them.
TABLES = {
    "ModelMetadata": "name description version subgraph_metadata author license associated_files min_parser_version",
    "SubGraphMetadata": "name description input_tensor_metadata output_tensor_metadata associated_files",
    "TensorMetadata": "name description dimension_names content process_units stats associated_files",
    "Content": "content_properties_type content_properties range",
    "FeatureProperties": "",
    "ImageProperties": "color_space default_size",
    "ProcessUnit": "options_type options",
    "NormalizationOptions": "mean std",
    "Stats": "max min",
    "AssociatedFile": "name description type locale",
}
FEATURE, IMAGE = 1, 2  # of the union ContentProperties
NORMALIZATION = 1  # of the union ProcessUnitOptions
RGB = 1  # of ColorSpaceType
TENSOR_AXIS_LABELS = 2  # of AssociatedFileType


@dataclass(frozen=True)
class About:
    """What a file can tell of itself.

    mean, std: of its input, in pixel units, per channel. classes: in the order of the logits. melanoma: index of its
    own. licence: of the weights, in words.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    melanoma: int
    licence: str


@dataclass(frozen=True)
class _Table:
    """A table of the schema: its kind, and its fields by name. A number is a byte, numbers are a vector of float32."""

    kind: str
    fields: "Mapping[str, Field]"


Field = str | int | _Table | Sequence[float] | Sequence[_Table]


def metadata(name: str, about: About, size: int, outputs: Sequence[str]) -> bytes:
    """The FlatBuffer: the same bytes for the same input. size: the input's side. outputs: their names, logits first."""
    answers = [_logits(), *(_further(output, about) for output in outputs[1:])]
    graph: dict[str, Field] = {"input_tensor_metadata": [_image(about, size)], "output_tensor_metadata": answers}
    told = f"Classifies a photograph of a skin lesion: {', '.join(about.classes)}."
    model: dict[str, Field] = {
        "name": name,
        "description": f"{told} An aid for engineers and researchers. Never a diagnosis.",
        "subgraph_metadata": [_Table("SubGraphMetadata", graph)],
        "license": f"Weights: {about.licence}",
        "min_parser_version": MIN_PARSER,
    }
    packer = flatbuffers.Builder(1 << 12)
    packer.Finish(_written(packer, _Table("ModelMetadata", model)), FILE_IDENTIFIER)
    return bytes(packer.Output())


def files(about: About) -> dict[str, bytes]:
    """What the metadata name, by name: the classes, one a line."""
    return {LABELS: "".join(f"{name}\n" for name in about.classes).encode()}


def _image(about: About, size: int) -> _Table:
    ends = [[(level - m) / s for m, s in zip(about.mean, about.std, strict=True)] for level in (0.0, WHITE)]
    normalization = _Table("NormalizationOptions", {"mean": about.mean, "std": about.std})
    fields: dict[str, Field] = {
        "name": "image",
        "description": f"The upright photograph's largest centred square as {size} x {size} RGB pixels, resized by an "
        "antialiased bilinear filter (Pillow's BILINEAR), then (pixel - mean) / std.",
        "content": _content("ImageProperties", IMAGE, {"color_space": RGB}),
        "process_units": [_Table("ProcessUnit", {"options_type": NORMALIZATION, "options": normalization})],
        "stats": _Table("Stats", {"max": ends[1], "min": ends[0]}),
    }
    return _Table("TensorMetadata", fields)


def _logits() -> _Table:
    labels: dict[str, Field] = {
        "name": LABELS,
        "description": "Classes in the order of the logits.",
        "type": TENSOR_AXIS_LABELS,
    }
    fields: dict[str, Field] = {
        "name": "logits",
        "description": "Logits, one for each class: probabilities are their softmax.",
        "content": _content("FeatureProperties", FEATURE, {}),
        "associated_files": [_Table("AssociatedFile", labels)],
    }
    return _Table("TensorMetadata", fields)


def _further(output: str, about: About) -> _Table:
    fields: dict[str, Field] = {"name": output, "content": _content("FeatureProperties", FEATURE, {})}
    if output == HEAT_MAP:
        told = about.classes[about.melanoma]
        fields["description"] = f"Where the image speaks for {told} (above 0) and against it (below 0), row by row."
    return _Table("TensorMetadata", fields)


def _content(kind: str, code: int, properties: Mapping[str, int]) -> _Table:
    return _Table("Content", {"content_properties_type": code, "content_properties": _Table(kind, properties)})


def _written(packer: flatbuffers.Builder, value: object) -> int:
    """Offset of a text, a table, or a vector of either tables or float32."""
    if isinstance(value, str):
        return int(packer.CreateString(value))
    if isinstance(value, _Table):
        return _table(packer, value)
    assert isinstance(value, Sequence)
    if not isinstance(value[0], _Table):
        return int(packer.CreateNumpyVector(np.array(value, np.float32)))
    offsets = [_table(packer, one) for one in value]
    packer.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        packer.PrependUOffsetTRelative(offset)
    return int(packer.EndVector())


def _table(packer: flatbuffers.Builder, table: _Table) -> int:
    slots = TABLES[table.kind].split()
    held = {name: value if isinstance(value, int) else _written(packer, value) for name, value in table.fields.items()}
    packer.StartObject(len(slots))
    for name, value in held.items():
        if isinstance(table.fields[name], int):
            packer.PrependInt8Slot(slots.index(name), value, 0)
        else:
            packer.PrependUOffsetTRelativeSlot(slots.index(name), value, 0)
    return int(packer.EndObject())
