"""ONNX Runtime's refusals as InputError: its error types share no base of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from melanoma_edge.errors import InputError


@contextmanager
def refusals(name: Path | str) -> Iterator[None]:
    """Raise InputError, in one line, for whatever ONNX Runtime refuses about the model called `name`."""
    import onnxruntime as ort
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    known = (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoModel,
        state.NotImplemented,
        state.RuntimeException,
        RuntimeError,
    )
    try:
        yield
    except known as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name} is not a model that ONNX Runtime {ort.__version__} can run: {reason}") from None


def opened(model: Path | bytes, name: Path | str, options: Any, providers: Sequence[Any]) -> Any:
    """An InferenceSession of a file, or of its content. Raises InputError for what ONNX Runtime refuses."""
    import onnxruntime as ort

    with refusals(name):
        return ort.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=providers)
