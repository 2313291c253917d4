"""How to quantize, by name."""

from dataclasses import asdict, dataclass
from typing import Any

from melanoma_edge.errors import InputError

DEFAULT = "int8"


@dataclass(frozen=True)
class Recipe:
    """One way to quantize a network to INT8. See `quantize.quantize` for what each part does.

    ranges: a method of `ranges.METHODS`. equalization, adaptive_rounding, bias_correction: see `equalize`, `rounding`
    and `bias`. float_head: keep the last Conv or Gemm in float. float_nodes: names of further nodes to keep in float.
    """

    name: str
    ranges: str = "fisher"
    bias_correction: bool = True
    equalization: bool = True
    adaptive_rounding: bool = True
    float_head: bool = True
    float_nodes: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """The recipe as it stands in reports."""
        return asdict(self)


RECIPES = {
    DEFAULT: Recipe(DEFAULT),
    "static_wi8_ai8": Recipe("static_wi8_ai8", float_head=False),
}


def recipe(name: str) -> Recipe:
    """The recipe called `name`: `int8` is the default; `static_wi8_ai8` has every operator and the logits in 8 bits.

    Raises InputError, listing the known names, for any other.
    """
    if name not in RECIPES:
        raise InputError(f"unknown recipe {name!r}: known are {', '.join(RECIPES)}")
    return RECIPES[name]
