"""As `static`, with the last layer and its logits in 8 bits too: the form that neural accelerators (NPUs) ask for."""

from collections.abc import Sequence

from melanoma_edge.progress import Progress
from melanoma_edge.quantization.quantizers import Plan, Subject
from melanoma_edge.quantization.recipe import Recipe

COST = None  # as fast as `static` on a processor, and coarser logits
RECIPE = Recipe("static_wi8_ai8", float_head=False)
RECIPES = (RECIPE.name,)


def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan."""
    return [Plan(RECIPE)]
