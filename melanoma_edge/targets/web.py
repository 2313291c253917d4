"""onnxruntime-web in a browser: NCHW float32 image in, float32 logits out.

Its wasm kernels give the bits of Python's onnxruntime, which therefore judges and times these files. They have no fast
INT8: the file with weights in 8 bits is as small as the INT8 one and runs as fast as float there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from melanoma_edge.artifact import Artifact
from melanoma_edge.targets import Place, place

ARTIFACTS = (
    Place("onnx", "float32", "web"),
    Place("onnx", "int8", "web"),
    Place("onnx", "weight_only_wi8_afp32", "web"),
)
RUNTIMES = ("onnxruntime",)


def pack(artifacts: Sequence[Artifact]) -> Mapping[str, Path]:
    """Relative name in the bundle to source file. Raises EdgeError when one of ARTIFACTS was not made."""
    return place(ARTIFACTS, artifacts)
