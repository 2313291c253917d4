"""litert-torch with ai-edge-quantizer's recipe static_wi8_ai8: Google's own way from torch to an INT8 .tflite."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

PACKAGES = ("litert-torch", "ai-edge-quantizer")
FORMAT = "tflite"


def convert(model: nn.Module, images: NDArray[np.float32], path: Path, *, channels_last: bool = False) -> None:
    """Write `path` from a network in eval mode; images: float32 `[N, 3, S, S]` for calibration, normalised.

    channels_last: images are `[1, S, S, 3]` in the file, which saves it a transpose.
    """
    import litert_torch
    import torch
    from ai_edge_quantizer import quantizer, recipe

    samples: list[Tensor] = [torch.from_numpy(image[np.newaxis]) for image in images]
    if channels_last:
        model = litert_torch.to_channel_last_io(model, args=[0])
        samples = [sample.permute(0, 2, 3, 1).contiguous() for sample in samples]
    with tempfile.TemporaryDirectory() as scratch:
        floating = Path(scratch) / "float32.tflite"
        litert_torch.convert(model, (samples[0],)).export(str(floating))
        work = quantizer.Quantizer(str(floating))
        work.load_quantization_recipe(recipe.static_wi8_ai8())
        calibration = work.calibrate({"serving_default": [{"args_0": sample.numpy()} for sample in samples]})
        path.unlink(missing_ok=True)
        work.quantize(calibration).export_model(str(path))


def convert_onnx(onnx: Path, images: NDArray[np.float32], path: Path) -> None:
    """Write `path` from an .onnx file."""
    from peers.as_torch import AsTorch

    convert(AsTorch(onnx).eval(), images, path, channels_last=True)
