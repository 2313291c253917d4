"""As `mixed` at its middle price, and the integers then learn from the float network: minutes, for the hardest."""

from collections.abc import Sequence
from dataclasses import replace

from melanoma_edge.progress import Progress
from melanoma_edge.quantize.quantizers import MINUTES, Plan, Subject, mixed, static

COST = MINUTES
PRICE = "mixed_20"
EPOCHS = 6


def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan; all in integers when no operator is worth its price in float."""
    found = {plan.recipe.name: plan for plan in mixed.plans(subject, progress)}
    start = found.get(PRICE) or Plan(static.RECIPE)
    return [Plan(replace(start.recipe, name="distilled", distillation_epochs=EPOCHS), start.cost)]
