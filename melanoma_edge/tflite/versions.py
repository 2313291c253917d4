"""Versions of TFLite's operators: which version a file asks for, and the oldest runtime that has it.

Source: `op_version.cc` and `runtime_version.cc` of TensorFlow Lite (tflite/tools/versioning). A file that asks for a
higher version than it needs is refused by runtimes that could run it. Each file of `operators` states those of what it
writes; here are those that the toolkit itself writes.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Version: TypeAlias = tuple[int, str]  # and the oldest runtime
Versions: TypeAlias = tuple[Version, Version | None]  # of float and of int8; None where there is no int8 form here

TOOLKIT: Mapping[str, Versions] = {
    "DEQUANTIZE": ((1, "1.13.1"), (2, "1.14.0")),
    "PAD": ((1, "1.5.0"), (2, "1.14.0")),
    "QUANTIZE": ((1, "1.14.0"), (1, "1.14.0")),
    "RESHAPE": ((1, "1.5.0"), (1, "1.5.0")),
    "TRANSPOSE": ((1, "1.6.0"), (2, "1.14.0")),
}


def newest(runtimes: Iterable[str]) -> str:
    """The highest of dotted version numbers."""
    return max(runtimes, key=lambda v: tuple(int(part) for part in v.split(".")), default="1.5.0")
