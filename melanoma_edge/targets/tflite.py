"""LiteRT (TensorFlow Lite), as Android, iOS and embedded Linux run it: NHWC float32 image in, float32 logits out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from melanoma_edge.artifact import Artifact
from melanoma_edge.targets import Place, place

ARTIFACTS = (
    Place("tflite", "float32", "tflite"),
    Place("tflite", "int8", "tflite"),
)
RUNTIMES = ("litert",)


def pack(artifacts: Sequence[Artifact]) -> Mapping[str, Path]:
    """Relative name in the bundle to source file. Raises EdgeError when one of ARTIFACTS was not made."""
    return place(ARTIFACTS, artifacts)
