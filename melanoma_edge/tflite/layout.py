"""From ONNX's NCHW to TFLite's NHWC: images are turned (`plan.images` tells which), all else keeps its axes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NHWC = (0, 2, 3, 1)  # axis i of the TFLite tensor is axis NHWC[i] of the ONNX tensor
NCHW = (0, 3, 1, 2)
RANK = 4  # of an image


def shape(dims: Sequence[int], image: bool) -> tuple[int, ...]:
    """The TFLite shape of a tensor with the ONNX shape `dims`."""
    return tuple(dims[i] for i in NHWC) if image else tuple(dims)


def axis(onnx_axis: int, rank: int, image: bool) -> int:
    """Where axis `onnx_axis` (may be negative) of a tensor of `rank` dimensions lies in TFLite."""
    positive = onnx_axis % rank
    return NCHW[positive] if image else positive


def array(array: NDArray[np.generic], image: bool) -> NDArray[np.generic]:
    """A constant whose axes are those of the ONNX tensor, in TFLite's order."""
    return array.transpose(NHWC) if image else array


def operand(array: NDArray[np.generic], rank: int, image: bool) -> NDArray[np.generic]:
    """A constant that ONNX broadcasts against a tensor of `rank` dimensions, so that TFLite broadcasts it alike."""
    if array.size == 1:
        return array.reshape(())
    aligned = array.reshape((1,) * (rank - array.ndim) + array.shape)
    return aligned.transpose(NHWC) if image else aligned


def permutation(onnx_perm: Sequence[int], before: bool, after: bool) -> tuple[int, ...]:
    """The TFLite `perm` of an ONNX Transpose; before, after: whether what it reads and makes are images."""
    axes = range(len(onnx_perm))
    places = NCHW if before else axes
    return tuple(places[onnx_perm[NHWC[i] if after else i]] for i in axes)
