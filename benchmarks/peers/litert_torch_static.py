"""litert-torch with ai-edge-quantizer's recipe static_wi8_ai8: Google's own way from torch to an INT8 .tflite."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

PACKAGES = ("litert-torch", "ai-edge-quantizer")


def convert(model: nn.Module, images: NDArray[np.float32], path: Path) -> None:
    """Write `path` from a network in eval mode; images: float32 `[N, 3, S, S]` for calibration, normalised."""
    import litert_torch
    import torch
    from ai_edge_quantizer import quantizer, recipe

    samples: list[Tensor] = [torch.from_numpy(image[np.newaxis]) for image in images]
    with tempfile.TemporaryDirectory() as scratch:
        floating = Path(scratch) / "float32.tflite"
        litert_torch.convert(model, (samples[0],)).export(str(floating))
        work = quantizer.Quantizer(str(floating))
        work.load_quantization_recipe(recipe.static_wi8_ai8())
        calibration = work.calibrate({"serving_default": [{"args_0": sample.numpy()} for sample in samples]})
        path.unlink(missing_ok=True)
        work.quantize(calibration).export_model(str(path))
