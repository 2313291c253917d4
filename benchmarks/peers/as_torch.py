"""An ONNX network as a torch module, for peers that start from torch: our executor's steps with weights as buffers."""

from pathlib import Path

import onnx_ir as ir
from torch import Tensor, nn

from melanoma_edge.quantization.executor import load, run
from melanoma_edge.quantization.prepare import prepare


class AsTorch(nn.Module):
    """The network of an .onnx file: float32 `[1, 3, S, S]` to logits `[1, K]`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.program = load(prepare(ir.load(path)))
        self.names = list(self.program.constants)
        for i, name in enumerate(self.names):
            self.register_buffer(f"constant_{i}", self.program.constants[name])

    def forward(self, image: Tensor) -> Tensor:
        """Logits."""
        constants = {name: self.get_buffer(f"constant_{i}") for i, name in enumerate(self.names)}
        return run(self.program, image, constants=constants)[self.program.output]
