"""Every operator that has an integer kernel in 8 bits, with all corrections; the last layer and its logits in float."""

from collections.abc import Sequence

from melanoma_edge.progress import Progress
from melanoma_edge.quantization.quantizers import Plan, Subject
from melanoma_edge.quantization.recipe import Recipe

COST = 1
RECIPE = Recipe("static")
WEIGHTS = Recipe("weights", ranges="minmax", equalization=False)  # equalised, activations gain what weights lose
RECIPES = (RECIPE.name,)


def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan."""
    return [Plan(RECIPE, remaining=1.0)]
