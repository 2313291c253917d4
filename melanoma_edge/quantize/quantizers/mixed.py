"""As `static`, with the operators whose rounding moves the answer most kept in float, at four prices."""

from collections.abc import Iterator
from dataclasses import replace

from melanoma_edge.progress import Progress
from melanoma_edge.quantize.executor import Batches
from melanoma_edge.quantize.mixed import choices
from melanoma_edge.quantize.quantize import scheme_of
from melanoma_edge.quantize.quantizers import Attempt, Subject, attempt, evidence
from melanoma_edge.quantize.quantizers.static import RECIPE
from melanoma_edge.quantize.recipe import Recipe
from melanoma_edge.quantize.sensitivity import sensitivity

COST = 2
# shares of the network's cost that may stay in float
BUDGETS = {"mixed_10": 0.1, "mixed_20": 0.2, "mixed_30": 0.3, "mixed_40": 0.4}
IMAGES = 64


def attempts(subject: Subject, progress: Progress) -> Iterator[Attempt]:
    """One attempt for each budget that changes anything and promises enough; none when no operator is worth it."""
    for recipe, remaining in recipes(subject, progress):
        if subject.promising(recipe.name, remaining):
            yield attempt(subject, recipe, progress)


def recipes(subject: Subject, progress: Progress) -> Iterator[tuple[Recipe, float]]:
    """What the attempts are made by, and what each is expected to leave: see `mixed.Choice`."""
    seen = evidence(subject, RECIPE, progress)
    model, scheme = scheme_of(seen, RECIPE, progress=progress)
    images = Batches(subject.calibration[:IMAGES], subject.spec)
    measured = sensitivity(seen.program, model, scheme, images, progress)
    known: set[tuple[str, ...]] = set()
    for name, budget in BUDGETS.items():
        for choice in choices(model, scheme, measured, [budget]):
            if choice.float_nodes not in known:
                known.add(choice.float_nodes)
                yield replace(RECIPE, name=name, float_nodes=choice.float_nodes), choice.remaining
