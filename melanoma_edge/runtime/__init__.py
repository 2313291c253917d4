"""The networks' runtimes, one file each; `load` picks the one that a model file is for."""

from pathlib import Path

from melanoma_edge.artifact import Artifact
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.runtime import litert, ort, pytorch
from melanoma_edge.runtime.predict import Predict

RUNTIMES = {".safetensors": pytorch, ".onnx": ort, ".tflite": litert}


def load(
    artifact: Artifact | Path, spec: Preprocessing | None = None, *, threads: int = 1, device: str = "auto"
) -> Predict:
    """Load a model file in the runtime that its suffix names: .safetensors, .onnx or .tflite.

    spec: None takes the size that the file states, normalised as `(pixel - 128) / 128`.
    device: "auto", "cpu" or "cuda" for .safetensors; the other runtimes use the CPU. Raises InputError for another
    suffix, a missing or corrupt file, another input size than `spec`'s, or a runtime that is not installed.
    """
    path = artifact.path if isinstance(artifact, Artifact) else artifact
    if path.suffix not in RUNTIMES:
        suffix = path.suffix or "a file without suffix"
        raise InputError(f"{path}: no runtime for {suffix}; known are {', '.join(RUNTIMES)}")
    if not path.is_file():
        raise InputError(f"{path} does not exist, or is not a file")
    runtime = RUNTIMES[path.suffix]
    missing = runtime.available()
    if missing is not None:
        raise InputError(f"{path} cannot be run: {missing}")
    if runtime is pytorch:
        return pytorch.load(path, spec, threads=threads, device=device)
    predict: Predict = runtime.load(path, spec, threads=threads)
    return predict
