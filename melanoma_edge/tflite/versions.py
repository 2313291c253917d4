"""Operator versions: which version of a TFLite operator a file asks for, and the oldest runtime that has it.

Source: `op_version.cc` and `runtime_version.cc` of TensorFlow Lite (tflite/tools/versioning). A file that asks for a
higher version than it needs is refused by runtimes that could run it.
"""

from collections.abc import Iterable

# operator: ((float version, since runtime), (int8 version, since runtime)); None where there is no int8 form here
VERSIONS: dict[str, tuple[tuple[int, str], tuple[int, str] | None]] = {
    "ADD": ((1, "1.5.0"), (2, "1.14.0")),
    "AVERAGE_POOL_2D": ((1, "1.5.0"), None),
    "CONCATENATION": ((1, "1.5.0"), (2, "1.14.0")),
    "CONV_2D": ((1, "1.5.0"), (3, "1.14.0")),
    "DEPTHWISE_CONV_2D": ((1, "1.5.0"), (3, "1.14.0")),
    "DEQUANTIZE": ((1, "1.13.1"), (2, "1.14.0")),
    "DIV": ((1, "1.6.0"), None),
    "FULLY_CONNECTED": ((1, "1.5.0"), (4, "1.14.0")),
    "HARD_SWISH": ((1, "1.15.0"), None),
    "LEAKY_RELU": ((1, "1.13.1"), (2, "2.3.0")),
    "LOGISTIC": ((1, "1.14.0"), (2, "1.14.0")),
    "MAXIMUM": ((1, "1.14.0"), None),
    "MAX_POOL_2D": ((1, "1.5.0"), (2, "1.14.0")),
    "MEAN": ((1, "1.6.0"), (2, "1.14.0")),
    "MINIMUM": ((1, "1.14.0"), None),
    "MUL": ((1, "1.5.0"), (2, "1.14.0")),
    "PAD": ((1, "1.5.0"), (2, "1.14.0")),
    "PADV2": ((1, "1.9.0"), (2, "1.14.0")),
    "PRELU": ((1, "1.8.0"), None),
    "QUANTIZE": ((1, "1.14.0"), (1, "1.14.0")),
    "RELU": ((1, "1.5.0"), None),
    "RELU6": ((1, "1.5.0"), None),
    "RELU_0_TO_1": ((1, "2.10.0"), None),
    "RELU_N1_TO_1": ((1, "1.5.0"), None),
    "RESHAPE": ((1, "1.5.0"), (1, "1.5.0")),
    "SOFTMAX": ((1, "1.5.0"), None),
    "SUB": ((1, "1.6.0"), (2, "1.14.0")),
    "TANH": ((1, "1.14.0"), (2, "1.14.0")),
    "TRANSPOSE": ((1, "1.6.0"), (2, "1.14.0")),
}

GROUPED_CONV = (6, "2.9.0")
DILATED_DEPTHWISE = (2, "1.12.0")
MUL_RESCALE_ABOVE_1 = (3, "1.15.0")


def version(operator: str, *, int8: bool) -> tuple[int, str]:
    """(version, oldest runtime) of a plain use of `operator`. Raises KeyError for a use without a kernel."""
    as_float, as_int8 = VERSIONS[operator]
    if not int8:
        return as_float
    if as_int8 is None:
        raise KeyError(f"{operator} has no int8 form in {__name__}")
    return as_int8


def newest(runtimes: Iterable[str]) -> str:
    """The highest of dotted version numbers."""
    return max(runtimes, key=lambda v: tuple(int(part) for part in v.split(".")), default="1.5.0")
