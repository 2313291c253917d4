"""Folds a network's own input normalisation into its first convolution, so that all networks take one input.

With (pixel - 128) / 128 the image's first 8-bit integer is pixel - 128, so quantising it loses nothing.
"""

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.data.preprocess import MEAN, STD
from melanoma_edge.errors import InputError
from melanoma_edge.export.passes import merge_pad


def fold_input_normalization(model: ir.Model, mean: Sequence[float], std: Sequence[float]) -> None:
    """Make `model`, which takes (pixel - mean) / std, take (pixel - 128) / 128 instead, in place.

    mean, std: in pixel units, a number for each input channel. The scale goes into the weights and the offset into the
    bias, which is exact but for the first convolution's zero padding: the border was as if of colour `mean` and is now
    as if of colour 128. With mean 128 nothing changes; with 127.5 the probabilities of four trained networks moved by
    less than 0.001 in the mean.
    Raises InputError when the first operator on the image is not a convolution with constant weights, or std is not
    positive.
    """
    means, stds = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    if not np.all(np.isfinite(means)) or not np.all(np.isfinite(stds) & (stds > 0)):
        raise InputError(
            f"mean {tuple(mean)} and std {tuple(std)} must be finite, std positive, in pixel units (0-255)"
        )
    scale, offset = STD / stds, (MEAN - means) / stds
    if np.all(scale == 1) and np.all(offset == 0):
        return
    merge_pad.run(model)
    (image,) = model.graph.inputs
    nodes = image.consumers()
    for node in nodes:
        if not graph.is_op(node, "Conv") or graph.constant(node.inputs[1]) is None:
            raise InputError(
                f"cannot fold mean and std into the first operator, {node.op_type} {node.name!r}: a convolution with "
                "constant weights is needed; bring a network that takes (pixel - 128) / 128, or without that operator"
            )
    for node in nodes:
        _fold(node, scale, offset)


def _fold(conv: ir.Node, scale: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
    owner, name = graph.graph_of(conv), conv.inputs[1].name if conv.inputs[1] is not None else ""
    weights = np.asarray(graph.constant(conv.inputs[1]), np.float64)
    given = graph.constant(conv.inputs[2]) if len(conv.inputs) > 2 else None
    bias = np.zeros(len(weights)) if given is None else given.astype(np.float64)
    # output channel o of g groups reads the input channels from (o // (O / g)) * (C / g) on
    fan_in, per_group = weights.shape[1], len(weights) // conv.attributes.get_int("group", 1)
    reads = (np.arange(len(weights)) // per_group * fan_in)[:, None] + np.arange(fan_in)
    bias = bias + np.einsum("oihw,oi->o", weights, offset[reads])
    conv.resize_inputs(3)
    scaled = weights * scale[reads][:, :, None, None]
    conv.replace_input_with(1, graph.add_constant(owner, f"{name}_scaled", scaled.astype(np.float32)))
    conv.replace_input_with(2, graph.add_constant(owner, f"{name}_offset", bias.astype(np.float32)))
    graph.drop_unused(owner)
