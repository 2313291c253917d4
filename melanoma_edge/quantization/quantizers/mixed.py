"""As `static`, with the operators whose rounding moves the answer most kept in float, at four prices."""

from collections.abc import Sequence
from dataclasses import replace

from melanoma_edge.cores import single_threaded
from melanoma_edge.progress import Progress
from melanoma_edge.quantization.executor import Batches
from melanoma_edge.quantization.mixed import choices
from melanoma_edge.quantization.quantize import scheme_of
from melanoma_edge.quantization.quantizers import Plan, Subject, evidence
from melanoma_edge.quantization.quantizers.static import RECIPE
from melanoma_edge.quantization.sensitivity import sensitivity

COST = 2
# shares of the network's cost that may stay in float
BUDGETS = {"mixed_10": 0.1, "mixed_20": 0.2, "mixed_30": 0.3, "mixed_40": 0.4}
RECIPES = tuple(BUDGETS)
IMAGES = 64


@single_threaded()
def plans(subject: Subject, progress: Progress) -> Sequence[Plan]:
    """One plan for each budget that changes anything; none when no operator is worth it."""
    seen = evidence(subject, RECIPE, progress)
    model, scheme = scheme_of(seen, RECIPE, progress=progress)
    if not seen.sensitivity:  # `distilled` asks for the same plans
        images = Batches(subject.calibration[:IMAGES], subject.spec)
        seen.sensitivity.append(sensitivity(seen.program, model, scheme, images, progress))
    found: dict[tuple[str, ...], Plan] = {}
    for name, budget in BUDGETS.items():
        for choice in choices(model, scheme, seen.sensitivity[0], [budget]):
            recipe = replace(RECIPE, name=name, float_nodes=choice.float_nodes)
            found.setdefault(choice.float_nodes, Plan(recipe, choice.cost, choice.remaining))
    return list(found.values())
