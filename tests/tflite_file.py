"""Runs a .tflite file's bytes, with the XNNPACK delegate and with the reference kernels, and reads what is in it."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from melanoma_edge.bench.partitions import count

NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def run(data: bytes, image: NDArray[np.float32], *, delegate: bool = True) -> NDArray[np.float32]:
    """First output for an NCHW image or a matrix; an output image comes back as NCHW."""
    interpreter = _interpreter(data, delegate=delegate)
    given = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(given, image.transpose(NHWC) if image.ndim == 4 else image)
    interpreter.invoke()
    result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return result.transpose(NCHW) if result.ndim == 4 else result


def operators(data: bytes) -> list[str]:
    """Names of the operators in the file."""
    details = _interpreter(data, delegate=False)._get_ops_details()
    return [str(detail["op_name"]) for detail in details]


def partitions(data: bytes) -> tuple[int, Sequence[str]]:
    """(delegate partitions, operators that stay outside)."""
    found = count(_interpreter(data, delegate=True)._get_ops_details())
    return found.partitions, found.outside


def tensors(data: bytes) -> list[dict[str, object]]:
    """The file's tensors, as the interpreter describes them."""
    return list(_interpreter(data, delegate=False).get_tensor_details())


def _interpreter(data: bytes, *, delegate: bool) -> Interpreter:
    resolver = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    return interpreter
