"""ONNX Runtime on the CPU, with its default graph optimisation: INT8 runs on the kernels that an app would get."""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import InputError
from melanoma_edge.export.session import opened
from melanoma_edge.graph import DEQUANTIZE, QUANTIZE
from melanoma_edge.runtime.predict import HeatMap, Logits, Predict, agree

PACKAGE = "onnxruntime"
CUDA = "CUDAExecutionProvider"
TYPES = {"tensor(float)": "float32"}


def available() -> str | None:
    """None when ONNX Runtime is installed, else one line on how to get it."""
    return None if importlib.util.find_spec(PACKAGE) else "onnxruntime is not installed: pip install onnxruntime"


def version() -> str:
    """The installed version."""
    return importlib.metadata.version(PACKAGE)


def versions() -> dict[str, str]:
    """The installed package."""
    return {PACKAGE: version()}


def imports() -> tuple[str, ...]:
    """Modules that are imported with a session."""
    return "onnx", PACKAGE


def load(path: Path, spec: Preprocessing | None = None, *, threads: int = 1, device: str = "auto") -> Predict:
    """A session of an .onnx file: float32 `[1, 3, S, S]` to float32 logits `[1, K]`, one image a run.

    With a second output `heat_map` `[1, 1, h, w]` its heat maps can be asked for. device: the processor,
    whatever it says.

    Raises InputError when the file is corrupt, lies outside that contract, or is not of `spec.size`.
    """
    session = _session(path, threads)
    inputs, outputs = ([(t.name, t.shape, TYPES.get(t.type, t.type)) for t in side] for side in _ends(session))
    agreed = agree(path, inputs, outputs, "NCHW", spec)
    image = inputs[0][0]

    def prepare(batch: NDArray[np.float32]) -> Callable[[], Logits]:
        feed = {image: batch}
        return lambda: np.asarray(session.run(None, feed)[0], np.float32)

    def explain(batch: NDArray[np.float32]) -> HeatMap:
        return np.asarray(session.run(None, {image: batch})[1][:, 0], np.float32)

    found = explain if len(outputs) > 1 else None
    return Predict(PACKAGE, version(), "cpu", threads, agreed, 1, "NCHW", prepare, found)


def has_cuda() -> bool:
    """Whether the installed ONNX Runtime has its CUDA provider."""
    if available() is not None:
        return False
    import onnxruntime as ort

    return CUDA in ort.get_available_providers()


def on_cuda(path: Path, stream: int) -> Callable[[], object]:
    """For timing: a call that runs a file on one image, which lies on the GPU already, on a CUDA stream's address.

    The call does not wait for the GPU and copies nothing back; TF32 is off. Raises InputError when ONNX Runtime falls
    back to the CPU.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    settings = {"user_compute_stream": str(stream), "use_tf32": "0"}
    session = opened(path, path, options, [(CUDA, settings)])
    if session.get_providers()[0] != CUDA:
        raise InputError(
            f"ONNX Runtime {ort.__version__} has {CUDA} but cannot start it: are CUDA and cuDNN installed?"
        )
    given = session.get_inputs()[0]
    shape = [side if isinstance(side, int) else 1 for side in given.shape]
    binding = session.io_binding()
    binding.bind_ortvalue_input(given.name, ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32), "cuda", 0))
    binding.bind_output(session.get_outputs()[0].name, "cuda")
    return lambda: session.run_with_iobinding(binding)


def is_float(path: Path) -> bool:
    """Whether a file computes in float alone."""
    return DEQUANTIZE not in _operators(path)


def _ends(session: Any) -> tuple[Any, Any]:
    return session.get_inputs(), session.get_outputs()


def profiling(path: Path, folder: Path) -> Any:
    """A session on one thread that writes a profile below `folder`. Raises InputError as `load` does."""
    return _session(path, 1, profile=folder / "profile")


def entries(path: Path) -> dict[str, str]:
    """The session configuration that a file runs with."""
    # Idle pool threads otherwise spin on the core that the next runtime wants (bench/latency.py has the figures).
    stop = {"session.force_spinning_stop": "1"}
    # Otherwise its rules for integer kernels keep the weights from being unfolded once, when the file is loaded.
    return {**stop, "session.disable_quant_qdq": "1"} if _only_weights(path) else stop


def _session(path: Path, threads: int, profile: Path | None = None) -> Any:
    """An InferenceSession on the processor. Raises InputError as `load` does.

    profile: where it writes its profile, and how the file's name begins.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors only
    for name, value in entries(path).items():
        options.add_session_config_entry(name, value)
    return opened(path, path, options, ["CPUExecutionProvider"])


def _only_weights(path: Path) -> bool:
    """Whether a file has weights in 8 bits and float arithmetic; a file that cannot be read is left to the session."""
    operators = _operators(path)
    return DEQUANTIZE in operators and QUANTIZE not in operators


def _operators(path: Path) -> set[str]:
    """Types of a file's operators; none when it cannot be read."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
    except (DecodeError, OSError):
        return set()
