"""As `mixed` at its middle price, and the integers then learn from the float network: minutes, for the hardest."""

from collections.abc import Sequence
from dataclasses import replace

from melanoma_edge.progress import Progress
from melanoma_edge.quantization.quantizers import MINUTES, Plan, Subject, mixed, static

COST = MINUTES
BUDGET = mixed.BUDGETS["mixed_20"]
EPOCHS = 6
RECIPES = ("distilled",)


def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan; all in integers when no operator is worth its price in float."""
    start = middle(mixed.plans(subject, progress))
    return [Plan(replace(start.recipe, name=RECIPES[0], distillation_epochs=EPOCHS), start.cost)]


def middle(found: Sequence[Plan]) -> Plan:
    """Of the plans of `mixed`, the dearest within BUDGET, else the cheapest: budgets that add nothing have none."""
    within = [plan for plan in found if mixed.BUDGETS[plan.recipe.name] <= BUDGET]
    return within[-1] if within else found[0] if found else Plan(static.RECIPE)
