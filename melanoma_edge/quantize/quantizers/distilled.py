"""As `mixed` at its middle price, and the integers then learn from the float network: minutes, for the hardest."""

from collections.abc import Iterator
from dataclasses import replace

from melanoma_edge.progress import Progress
from melanoma_edge.quantize.quantizers import Attempt, Subject, attempt, mixed, static

COST = 3
PRICE = "mixed_20"
EPOCHS = 6


def attempts(subject: Subject, progress: Progress) -> Iterator[Attempt]:
    """One attempt; all in integers when no operator is worth its price in float."""
    found = {recipe.name: recipe for recipe, _ in mixed.recipes(subject, progress)}
    start = found.get(PRICE) or static.RECIPE
    yield attempt(subject, replace(start, name="distilled", distillation_epochs=EPOCHS), progress)
