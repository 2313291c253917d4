"""Ways to quantize, one file each: its name is what `--quantizer` takes.

A quantizer has `COST`, its place in what `auto` tries, cheapest first, or None when it is for those who name it; and
`plans(subject, progress)`, one or more ways to quantize, cheapest first, which `attempt` carries out. Nothing here
looks at labels, or at any image outside the calibration set: `selection.trial` judges attempts on the validation split.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import onnx_ir as ir

from melanoma_edge import registry
from melanoma_edge.data.preprocess import Scaling
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent
from melanoma_edge.quantize.evidence import Evidence
from melanoma_edge.quantize.executor import Images
from melanoma_edge.quantize.quantize import decide, evidence_for
from melanoma_edge.quantize.recipe import Recipe
from melanoma_edge.quantize.report import QuantizationReport

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
    """Names of the quantizers to try for `--quantizer wanted`, and of those to try when none of them holds the gates.

    Raises InputError, listing the known, for an unknown name.
    """
    known = registry.names(__name__)
    if wanted != AUTO and wanted not in known:
        raise InputError(f"unknown quantizer {wanted!r}: known are {AUTO}, {', '.join(known)}")
    if wanted != AUTO:
        return (wanted,), ()
    costs = {name: registry.load(__name__, name).COST for name in known}
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


def attempts(name: str, subject: Subject, progress: Progress = silent) -> Iterator[Attempt]:
    """Every plan of the quantizer of this name, carried out."""
    for plan in registry.load(__name__, name).plans(subject, progress):
        yield attempt(subject, plan.recipe, progress)
