"""Ways to quantize, one file each: `--quantizer` takes its name, or that of one of its recipes.

A quantizer has `COST`, its place in what `auto` tries, cheapest first, or None when it is for those who name it;
`RECIPES`, the names of what it makes; and `plans(subject, progress)`, one or more ways to quantize, cheapest first,
which `attempt` carries out. Nothing here
looks at labels, or at any image outside the calibration set: `selection.trial` judges attempts on the validation split.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import onnx_ir as ir

from melanoma_edge import registry
from melanoma_edge.data.preprocess import Scaling
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantization.evidence import Evidence
from melanoma_edge.quantization.executor import Images
from melanoma_edge.quantization.quantize import decide, evidence_for
from melanoma_edge.quantization.recipe import Recipe
from melanoma_edge.quantization.report import QuantizationReport

AUTO = "auto"
MINUTES = 3  # a COST from which on a quantizer takes so long that it is asked only when no other holds the gates


@dataclass(frozen=True)
class Subject:
    """What is to be quantised: a float graph after the passes of both phases, and images of the training split, as
    `executor.Batches` takes them.

    gathered: evidence that attempts share, by ranges and equalisation. own: evidence of one recipe alone, by its name.
    """

    model: ir.Model
    calibration: Images
    spec: Scaling | None
    gathered: dict[tuple[str, bool], Evidence] = field(default_factory=dict)
    own: dict[str, Evidence] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """An attempt that can be made.

    cost: share of the network's cost that stays in float. remaining: what it is expected to leave of the squared change
    of the probability that `static` makes; None where nothing tells.
    """

    recipe: Recipe
    cost: float = 0.0
    remaining: float | None = None


@dataclass(frozen=True)
class Attempt:
    """A QDQ graph and how it was made."""

    recipe: Recipe
    model: ir.Model
    report: QuantizationReport


def order(wanted: str) -> tuple[Sequence[str], Sequence[str]]:
    """Names of the quantizers or recipes to try for `--quantizer wanted`, and of those to try when none of them holds
    the gates.

    Raises InputError, listing the known, for an unknown name.
    """
    if wanted != AUTO:
        _maker(wanted)
        return (wanted,), ()
    costs = {name: registry.load(__name__, name).COST for name in registry.names(__name__)}
    tried = sorted((name for name, cost in costs.items() if cost is not None), key=lambda name: costs[name])
    return [n for n in tried if costs[n] < MINUTES], [n for n in tried if costs[n] >= MINUTES]


def evidence(subject: Subject, recipe: Recipe, progress: Progress = silent) -> Evidence:
    """Evidence for `recipe`: its own, or gathered once for all recipes that take the same ranges and equalisation."""
    if recipe.name in subject.own:
        return subject.own[recipe.name]
    key = (recipe.ranges, recipe.equalization)
    if key not in subject.gathered:
        subject.gathered[key] = evidence_for(subject.model, subject.calibration, subject.spec, recipe, progress)
    return subject.gathered[key]


def attempt(subject: Subject, recipe: Recipe, progress: Progress = silent) -> Attempt:
    """Quantize by one recipe."""
    return Attempt(recipe, *decide(evidence(subject, recipe, progress), recipe, progress=progress))


def plans(name: str, subject: Subject, progress: Progress = silent) -> Sequence[Plan]:
    """The plans of a quantizer, or the one of a recipe. Raises InputError when a recipe is no other than a cheaper one,
    and what the quantizer raises.
    """
    maker = _maker(name)
    made: Sequence[Plan] = registry.load(__name__, maker).plans(subject, progress)
    if name == maker:
        return made
    found = [plan for plan in made if plan.recipe.name == name]
    if not found:
        places = {recipe: place for place, recipe in enumerate(registry.load(__name__, maker).RECIPES)}
        cheaper = [plan.recipe.name for plan in made if places[plan.recipe.name] < places[name]]
        raise InputError(
            f"{name} keeps no other operators in float than {cheaper[-1]} does: --quantizer {cheaper[-1]}"
            if cheaper
            else f"{name} finds no operator of this network that is worth its price in float: --quantizer static"
        )
    return found


def attempts(name: str, subject: Subject, progress: Progress = silent) -> Iterator[Attempt]:
    """Every plan of the quantizer or recipe of this name, carried out."""
    for plan in plans(name, subject, progress):
        yield attempt(subject, plan.recipe, progress)


def _maker(name: str) -> str:
    """The quantizer of this name, or the one that makes the recipe of this name."""
    makers: dict[str, str] = {}
    for quantizer in registry.names(__name__):
        makers |= dict.fromkeys(registry.load(__name__, quantizer).RECIPES, quantizer) | {quantizer: quantizer}
    if name not in makers:
        raise InputError(f"unknown quantizer {name!r}: known are {AUTO}, {', '.join(sorted(makers))}")
    return makers[name]
