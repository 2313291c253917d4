"""Folds a network's own input normalisation into its first convolution, so that all networks take one input.

With (pixel - 128) / 128 the image's first 8-bit integer is pixel - 128, so quantising it loses nothing. A scale and an
offset a channel go into the weights and the bias. What a convolution pads with is another matter: zero was the mean
colour, and would become grey 128. So the image gets a frame of the colour that was zero, and the convolution pads no
more. A frame is two Concat, copies of whole rows: PADV2 is not taken by XNNPACK, and a channel that marks the border
costs a third of the first layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import graph
from melanoma_edge.data.preprocess import MEAN, STD
from melanoma_edge.errors import InputError
from melanoma_edge.export.passes import fold_affine, merge_pad
from melanoma_edge.tflite.padding import Pads, window

Numbers = NDArray[np.float64]
LIMIT = 1.0  # of the frame's colour: the image's own range, beyond which INT8 cannot say it


def fold_input_normalization(model: ir.Model, mean: Sequence[float], std: Sequence[float]) -> None:
    """Make `model`, which takes (pixel - mean) / std, take (pixel - 128) / 128 instead, in place.

    model: as the clean passes leave it. mean, std: in pixel units, a number for each input channel. A scale and offset
    a channel with which the network itself begins are folded too. Exact to float32 rounding: a first convolution that
    pads reads a frame of colour `mean` instead, unless that is 128. A first operator that is no convolution with
    constant weights reads a depthwise 1x1 convolution that gives it what it knew.
    Raises InputError when mean is not finite or std not positive.
    """
    means, stds = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    if not np.all(np.isfinite(means)) or not np.all(np.isfinite(stds) & (stds > 0)):
        raise InputError(
            f"mean {tuple(mean)} and std {tuple(std)} must be finite, std positive, in pixel units (0-255)"
        )
    merge_pad.run(model)
    (image,) = model.graph.inputs
    own = _Own(STD / stds, (MEAN - means) / stds)
    _fold_readers(image, own, _Image(image, model.graph))
    graph.drop_unused(model.graph)


@dataclass(frozen=True)
class _Own:
    """What readers want, scale * image + offset, `[C]` each."""

    scale: Numbers
    offset: Numbers

    @property
    def is_image(self) -> bool:
        """Whether that is the image itself."""
        return bool(np.all(self.scale == 1) and np.all(self.offset == 0))

    def then(self, scale: Numbers, offset: Numbers) -> "_Own":
        """What a reader behind one more scale and offset wants."""
        return _Own(self.scale * scale, self.offset * scale + offset)


@dataclass(frozen=True)
class _Image:
    """The image, and the frames that it has got: readers of one colour and width share one."""

    value: ir.Value
    owner: ir.Graph
    frames: dict[tuple[Pads, tuple[float, ...]], ir.Value] = field(default_factory=dict)

    @property
    def first(self) -> ir.Node:
        """What is made in front of it can be read by every node."""
        return self.owner[0]

    def framed(self, pads: Pads, colour: NDArray[np.float32]) -> ir.Value:
        """The image within `pads` pixels of `colour` `[C]`."""
        key = pads, tuple(colour.tolist())
        if key not in self.frames:
            self.frames[key] = _frame(self.value, self.first, pads, colour)
        return self.frames[key]


def _fold_readers(value: ir.Value, own: _Own, image: _Image) -> None:
    """Let every reader of `value`, which held `own`, read the image."""
    plain: list[ir.Node] = []
    for node in value.consumers():
        inner = _scale_and_offset(node)
        if inner is not None and np.all(inner[0]) and not node.outputs[0].is_graph_output():
            _fold_readers(node.outputs[0], own.then(*inner), image)
        elif own.is_image:
            _read(node, value, image.value)
        elif not _fold(node, value, own, image):
            plain.append(node)
    if plain:
        made = fold_affine.depthwise(image.first, image.value, own.scale, own.offset)
        for node in plain:
            _read(node, value, made)


def _scale_and_offset(node: ir.Node) -> tuple[Numbers, Numbers] | None:
    """What `node` multiplies each channel of its image by and adds to it, if that is all it does."""
    found = fold_affine.affine(node)
    if found is not None:
        return found[1:] if len(graph.dims(found[0]) or ()) == 4 else None
    weights = graph.constant(node.inputs[1]) if graph.is_op(node, "Conv") else None
    shapes = [graph.dims(v) for v in (node.inputs[0], node.outputs[0]) if v is not None]
    if weights is None or weights.shape[1:] != (1, 1, 1) or shapes[0] != shapes[1]:
        return None
    if len(weights) == 1 or any(node.attributes.get_ints("pads", (0,))):
        return None
    bias = _bias(node, len(weights))
    return None if bias is None else (weights.reshape(-1).astype(np.float64), bias)


def _bias(conv: ir.Node, channels: int) -> Numbers | None:
    """`[channels]`, zeros where there is none; None where it is computed."""
    value = conv.inputs[2] if len(conv.inputs) > 2 else None
    given = graph.constant(value)
    if value is not None and given is None:
        return None
    return np.zeros(channels) if given is None else given.astype(np.float64)


def _fold(conv: ir.Node, value: ir.Value, own: _Own, image: _Image) -> bool:
    """Fold `own` into a convolution of `value`; False, and nothing done, where `conv` is none that can take it."""
    stored = graph.constant(conv.inputs[1]) if graph.is_op(conv, "Conv") and conv.inputs[0] is value else None
    bias = None if stored is None else _bias(conv, len(stored))
    if stored is None or bias is None or stored.ndim != 4:
        return False
    kernel = stored.shape[2:]
    pads = window(conv, (kernel[0], kernel[1])).pads
    colour = (-own.offset / own.scale).astype(np.float32)
    padded = any(p for side in pads for p in side) and bool(np.any(colour))
    if padded and np.any(np.abs(colour) > LIMIT):
        return False
    weights = stored.astype(np.float64)
    # output channel o of g groups reads the input channels from (o // (O / g)) * (C / g) on
    fan_in, per_group = weights.shape[1], len(weights) // conv.attributes.get_int("group", 1)
    reads = (np.arange(len(weights)) // per_group * fan_in)[:, None] + np.arange(fan_in)
    bias = bias + np.einsum("oihw,oi->o", weights, own.offset[reads])
    scaled = weights * own.scale[reads][:, :, None, None]
    owner, name = graph.graph_of(conv), str(conv.inputs[1].name if conv.inputs[1] is not None else "")
    conv.resize_inputs(3)
    conv.replace_input_with(0, image.framed(pads, colour) if padded else image.value)
    conv.replace_input_with(1, graph.add_constant(owner, f"{name}_scaled", scaled.astype(np.float32)))
    conv.replace_input_with(2, graph.add_constant(owner, f"{name}_offset", bias.astype(np.float32)))
    if padded:
        conv.attributes.add(ir.AttrInt64s("pads", [0, 0, 0, 0]))
        if conv.attributes.get_string("auto_pad", "NOTSET") != "NOTSET":
            conv.attributes.pop("auto_pad")
    return True


def _frame(image: ir.Value, before: ir.Node, pads: Pads, colour: NDArray[np.float32]) -> ir.Value:
    """Constant rows above and below, then constant columns left and right of them."""
    owner, framed = graph.graph_of(before), image
    for axis, sides in ((2, pads[0]), (3, pads[1])):
        shape = list(graph.dims(framed) or ())
        constants = []
        for pixels in sides:
            side = np.broadcast_to(colour[:, None, None], (1, *shape[1:axis], pixels, *shape[axis + 1 :]))
            constants.append(graph.add_constant(owner, f"{image.name}_frame", side) if pixels else None)
        operands = [v for v in (constants[0], framed, constants[1]) if v is not None]
        shape[axis] += sum(sides)
        if len(operands) > 1:
            name = graph.free_name(owner, f"{image.name}_framed")  # not one with a number: others keep theirs
            node = ir.node("Concat", operands, {"axis": axis}, name=f"{name}_Concat")
            node.outputs[0].name = name
            node.outputs[0].type, node.outputs[0].shape = image.type, ir.Shape(shape)
            owner.insert_before(before, node)
            framed = node.outputs[0]
    return framed


def _read(node: ir.Node, old: ir.Value, new: ir.Value) -> None:
    for index, value in enumerate(node.inputs):
        if value is old:
            node.replace_input_with(index, new)
