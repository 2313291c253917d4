"""What most converters do, to compare with: ranges that hold every value, weights rounded to nearest, no correction."""

from collections.abc import Sequence

from melanoma_edge.progress import Progress
from melanoma_edge.quantization.quantizers import Plan, Subject
from melanoma_edge.quantization.recipe import Recipe

COST = None  # seconds cheaper than `static`, never better at the same latency
RECIPE = Recipe(
    "minmax",
    ranges="minmax",
    equalization=False,
    adaptive_rounding=False,
    bias_correction=False,
    head_correction=False,
)
RECIPES = (RECIPE.name,)


def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan."""
    return [Plan(RECIPE)]
