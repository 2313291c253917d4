"""How to quantize, as data: the quantizers choose among these."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """One way to quantize a network to INT8. See `quantization.quantize` for what each part does.

    ranges: a method of `ranges.METHODS`. equalization, adaptive_rounding, bias_correction: see `equalize`, `rounding`
    and `bias`. distillation_epochs: times that `distillation` goes through the images. head_correction: see `head`.
    float_head: keep the last Conv or Gemm in float. float_nodes: names of further nodes to keep in float.
    """

    name: str
    ranges: str = "fisher"
    bias_correction: bool = True
    equalization: bool = True
    adaptive_rounding: bool = True
    distillation_epochs: int = 0
    head_correction: bool = True
    float_head: bool = True
    float_nodes: tuple[str, ...] = ()
