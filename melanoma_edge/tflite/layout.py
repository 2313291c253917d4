"""From ONNX's NCHW to TFLite's NHWC: every 4-D tensor of the file is NHWC, every other keeps its axes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NHWC = (0, 2, 3, 1)  # axis i of the TFLite tensor is axis NHWC[i] of the ONNX tensor
NCHW = (0, 3, 1, 2)


def shape(dims: Sequence[int]) -> tuple[int, ...]:
    """The TFLite shape of a tensor with the ONNX shape `dims`."""
    return tuple(dims[i] for i in NHWC) if len(dims) == 4 else tuple(dims)


def axis(onnx_axis: int, rank: int) -> int:
    """Where axis `onnx_axis` (may be negative) of a tensor of `rank` dimensions lies in TFLite."""
    positive = onnx_axis % rank
    return NCHW[positive] if rank == 4 else positive


def array(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """A constant whose axes are those of the ONNX tensor, in TFLite's order."""
    return array.transpose(NHWC) if array.ndim == 4 else array


def operand(array: NDArray[np.generic], rank: int) -> NDArray[np.generic]:
    """A constant that ONNX broadcasts against a tensor of `rank` dimensions, so that TFLite broadcasts it alike."""
    if array.size == 1:
        return array.reshape(())
    aligned = array.reshape((1,) * (rank - array.ndim) + array.shape)
    return aligned.transpose(NHWC) if rank == 4 else aligned


def permutation(onnx_perm: Sequence[int]) -> tuple[int, ...]:
    """The TFLite `perm` of an ONNX Transpose."""
    if len(onnx_perm) != 4:
        return tuple(onnx_perm)
    return tuple(NCHW[onnx_perm[NHWC[i]]] for i in range(4))
