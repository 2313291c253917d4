"""Any image classifier as an 8-bit ONNX or TFLite file: no dataset of lesions, no report. See docs/api.md."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

if TYPE_CHECKING:
    import onnx_ir as ir
    from torch import nn

    from melanoma_edge.quantization.executor import Images
    from melanoma_edge.quantization.report import QuantizationReport

PIXELS = Normalization(0.0, 1.0)  # of a network that takes pixels as they are, 0 to 255


@dataclass(frozen=True)
class QuantizedGraph:
    """A network in 8 bits, decided once for every format. model: ONNX with QuantizeLinear and DequantizeLinear pairs.
    report: what was decided, and how well it holds on the calibration images.
    """

    model: "ir.Model" = field(repr=False)
    report: "QuantizationReport"

    def save(self, path: Path | str) -> Path:
        """Write an .onnx or .tflite file, which compute the same integers. Raises InputError for another suffix."""
        return _save(self.model, Path(path))


def quantize(
    network: "Path | str | nn.Module",
    calibration: "Images",
    *,
    normalization: Normalization | None = None,
    recipe: str = "static",
    progress: Progress = silent,
) -> QuantizedGraph:
    """Quantize a float classifier, `[1,C,H,W]` to logits `[1,K]`, to 8 bits.

    network: an .onnx file, or a module. calibration: images that show what the network meets, some hundreds; uint8
    `[N,H,W,C]`, or float32 `[N,C,H,W]` as the network takes them. normalization: what the network was trained with, in
    pixel units; the result then takes (pixel - 128) / 128. Without it the result takes what the network takes, which
    are pixels from 0 to 255 where calibration images are uint8. recipe: a quantizer by its name, such as "static",
    "mixed_20", "distilled" or "minmax".
    Raises InputError for images of another form, an unknown recipe, and a network that `check.read_network` refuses.
    """
    from melanoma_edge.export import passes
    from melanoma_edge.quantization import quantizers

    if recipe == quantizers.AUTO:
        raise InputError("recipe auto needs labelled images to choose by: use compile, or name static or mixed_20")
    images = np.asarray(calibration)
    if images.ndim != 4 or images.dtype not in (np.uint8, np.float32) or not len(images):
        raise InputError(
            f"calibration is {images.dtype} {list(images.shape)}: uint8 [N,H,W,C] pixels, or float32 [N,C,H,W] as the "
            "network takes them, are accepted"
        )
    pixels = images.dtype == np.uint8
    if normalization is not None and not pixels:
        raise InputError("calibration images are float32: with a normalization, uint8 pixels [N,H,W,C] are accepted")
    shape = (images.shape[3], images.shape[1], images.shape[2]) if pixels else images.shape[1:]
    model = _float_graph(network, normalization, shape)
    passes.apply(model, "integer")
    scaling = None if not pixels else PIXELS if normalization is None else Normalization()
    subject = quantizers.Subject(model, images, scaling)
    plans = quantizers.plans(recipe, subject, progress)
    if len(plans) != 1:
        known = ", ".join(plan.recipe.name for plan in plans) or "static: no operator is worth its price in float"
        raise InputError(f"recipe {recipe!r} stands for {len(plans)}: name {known}")
    attempt = quantizers.attempt(subject, plans[0].recipe, progress)
    return QuantizedGraph(attempt.model, attempt.report)


def to_tflite(
    network: "Path | str | nn.Module",
    path: Path | str,
    *,
    normalization: Normalization | None = None,
    image: tuple[int, int, int] | None = None,
) -> Path:
    """Write a float classifier as a float32 .tflite file, `[1,H,W,C]` to logits `[1,K]`.

    network, normalization: as `quantize` takes them. image: channels, height and width, of a module alone. Raises
    InputError as `quantize` does, UnsupportedOperatorError for an operator that TFLite, or this emitter, does not have.
    """
    if Path(path).suffix != ".tflite":
        raise InputError(f"{path}: name a file that ends in .tflite")
    return _save(_float_graph(network, normalization, image), Path(path))


def _float_graph(
    network: "Path | str | nn.Module", normalization: Normalization | None, image: tuple[int, ...] | None
) -> "ir.Model":
    """The network as the clean passes leave it; with a normalization it takes (pixel - 128) / 128 instead."""
    from melanoma_edge.export.brought import bring
    from melanoma_edge.export.onnx import export_onnx

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(network) if isinstance(network, Path | str) else Path(scratch) / "module.onnx"
        if not isinstance(network, Path | str):
            if not callable(getattr(network, "eval", None)):
                raise InputError(f"network is {network!r:.80}: the path of an .onnx file, or a torch module")
            if image is None or len(image) != 3:
                raise InputError("image is missing: channels, height and width of what the module takes")
            export_onnx(network, (image[0], image[1], image[2]), source)
        return bring(source, Path(scratch), normalization, any_image=True).model


def _save(model: "ir.Model", path: Path) -> Path:
    """Whole or not at all."""
    from melanoma_edge import formats
    from melanoma_edge.artifact import write_atomic

    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / path.name
        formats.write(model, written)
        write_atomic(path, written.read_bytes())
    return path
