"""melanoma-edge: compile small melanoma classifiers for phones and browsers, with proof that they decide alike.

An aid for engineers and researchers, never a diagnosis. docs/api.md shows the Python API; its names are imported when
they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melanoma_edge.api import Bundle, compile, open
    from melanoma_edge.convert import QuantizedGraph, quantize, to_tflite
    from melanoma_edge.data.preprocess import Normalization
    from melanoma_edge.errors import EdgeError, GateError, InputError, UnsupportedOperatorError
    from melanoma_edge.made import Made
    from melanoma_edge.options import (
        CompileOptions,
        DataOptions,
        EmulationOptions,
        FileOptions,
        Gates,
        ProofOptions,
        QuantizeOptions,
    )

__version__ = "0.1.0"
__all__ = [
    "Bundle",
    "CompileOptions",
    "DataOptions",
    "EdgeError",
    "EmulationOptions",
    "FileOptions",
    "GateError",
    "Gates",
    "InputError",
    "Made",
    "Normalization",
    "ProofOptions",
    "QuantizeOptions",
    "QuantizedGraph",
    "UnsupportedOperatorError",
    "compile",
    "open",
    "quantize",
    "to_tflite",
]
_HOMES = {
    "api": ("Bundle", "compile", "open"),
    "convert": ("QuantizedGraph", "quantize", "to_tflite"),
    "data.preprocess": ("Normalization",),
    "errors": ("EdgeError", "GateError", "InputError", "UnsupportedOperatorError"),
    "made": ("Made",),
    "options": (
        "CompileOptions",
        "DataOptions",
        "EmulationOptions",
        "FileOptions",
        "Gates",
        "ProofOptions",
        "QuantizeOptions",
    ),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
