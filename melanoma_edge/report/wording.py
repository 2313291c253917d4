"""How every form of the report words figures, gates and verdicts. A figure that could not be measured is a dash."""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from melanoma_edge.selection.report import Skipped
    from melanoma_edge.verify.answering import Uncertainty
    from melanoma_edge.verify.gates import Gate
    from melanoma_edge.verify.paired import NonInferiority

ABSENT = "–"  # noqa: RUF001
MINUS = "−"  # noqa: RUF001

GATES = {
    "max_auc_drop": "AUC lost",
    "max_flip_rate": "Decisions that flip",
    "max_wrong_order": "Pairs of a melanoma and another image in the wrong order (see the warnings)",
    "max_sensitivity_drop": "Sensitivity lost",
    "max_graph_dp": "Change of a probability against the graph",
    "max_bytes": "Size",
    "max_arm64_differing_images": "Images whose logits are not the same bits on ARM64",
    "max_arm64_dlogit": "Change of a logit on ARM64",
    "max_arm64_dheat": "Change of a heat map on ARM64",
    "max_arm64_flips": "Decisions that flip on ARM64",
}
COUNTS = frozenset({"max_arm64_differing_images", "max_arm64_flips"})
TINY = frozenset({"max_arm64_dlogit", "max_arm64_dheat"})
CONTROLS = frozenset({"Cc", "Cn", "Co", "Cs", "Zl", "Zp"})  # general categories
REORDERS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})  # bidirectional classes
FIGURES = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "f1": "F1",
    "f2": "F2",
    "balanced_accuracy": "Balanced accuracy",
    "auc": "AUC",
    "average_precision": "Average precision",
    "partial_auc": "Partial AUC",
}
RATES = frozenset({"max_flip_rate", "max_sensitivity_drop", "max_wrong_order"})
SKIPPED = {  # why a recipe was not made: `selection.search.Skipped.why`
    "flips": "too many flips to hold the gates",
    "dearer": "a dearer one promised fewer",
    "little": "not far enough below one that holds",
    "slow": "too slow",
}
DIRECTIONS = {"melanoma->other": "melanoma → other", "other->melanoma": "other → melanoma", "undefined": "no number"}


def number(value: float | None, digits: int = 4) -> str:
    """A figure with fixed digits; one that rounds to nothing but is not nothing says so."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if value and abs(value) < 0.5 * 10**-digits:
        return f"< {10**-digits:.{digits}f}" if value > 0 else f"> {MINUS}{10**-digits:.{digits}f}"
    return f"{value:,.{digits}f}".replace("-", MINUS)


def change(before: float | None, after: float | None) -> str:
    """Two probabilities with as many digits, three to six, as it takes to tell them apart."""
    digits = next((d for d in (3, 4, 5) if number(before, d) != number(after, d)), 6)
    return f"{number(before, digits)} → {number(after, digits)}"


def signed(value: float | None, digits: int = 4) -> str:
    """A difference: with its sign, unless it rounds to zero."""
    if value is None or not math.isfinite(value):
        return ABSENT
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", MINUS) if rounded else f"{0:.{digits}f}"


def figure_title(name: str) -> str:
    """A figure of `verify.certainty` in words."""
    return FIGURES.get(name, plain(name))


def interval(ends: Sequence[float | None]) -> str:
    """A value with its interval."""
    value, low, high = ends
    return f"{number(value, 3)} ({number(low, 3)} to {number(high, 3)})"


def interval_of_change(ends: Sequence[float | None]) -> str:
    """A difference with its interval; a dash where there is none."""
    value, low, high = ends
    if value is None:
        return signed(None, 4)
    return f"{signed(value, 4)} ({signed(low, 4)} to {signed(high, 4)})"


def verdict_title(verdict: "NonInferiority") -> str:
    """The verdict on non-inferiority in a few words."""
    if verdict.verdict == "cannot tell":
        return "too few melanomas to tell about its sensitivity"
    return f"its sensitivity is {plain(verdict.verdict)}"


def ruling(verdict: "NonInferiority") -> str:
    """What the verdict on non-inferiority says, and what it lacks."""
    change = f"The change of sensitivity lies between {signed(verdict.low)} and {signed(verdict.high)}"
    margin = f"a loss of {number(verdict.margin, 3)}"
    melanomas = f"{integer(verdict.cases)} melanomas"
    if verdict.verdict == "not inferior":
        return f"{change} on {melanomas}: less than {margin}."
    if verdict.verdict == "inferior":
        return f"{change} on {melanomas}: more than {margin}."
    needed = verdict.needed
    return f"{change} on {melanomas}, too few to rule out {margin}" + (
        f": about {integer(needed)} are needed." if needed else "."
    )


def uncertain(changes: "Uncertainty") -> str:
    """How many images change between "answered" and "uncertain"."""
    return (
        f"{integer(changes.became_uncertain)} images became uncertain and {integer(changes.became_answered)} "
        f"answered; {integer(changes.flips_among_both)} flips among the {integer(changes.answered_by_both)} that "
        "both answer"
    )


def tiny(value: float | None) -> str:
    """A difference that may be far below a hundredth."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:.1e}" if value < 1e-3 else number(value, 3)


def percent(value: float | None, digits: int = 1) -> str:
    """A share of 1 as per cent."""
    return ABSENT if value is None or not math.isfinite(value) else f"{number(100 * value, digits)} %"


def integer(value: float | None) -> str:
    """A count with thousands separated."""
    return ABSENT if value is None or not math.isfinite(value) else f"{int(value):,}"


def megabytes(value: float | None) -> str:
    """Bytes as MB (10^6); small files as kB."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value / 1e6:.2f} MB" if value >= 1e5 else f"{value / 1e3:.1f} kB"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def plain(text: object, longest: int = 120) -> str:
    """Text from outside on one line: what controls or reorders a line becomes spaces, and what is too long is cut."""
    line = "".join(" " if _controls(c) else c for c in str(text))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each file name without the words that all of them begin with: `int8.tflite` of `mole_int8.tflite`."""
    first, last = min(names, default=""), max(names, default="")
    alike = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    start = first.rfind("_", 0, alike) + 1
    return {name: plain(name[start:], 40) for name in names}


def breakable(name: object) -> Markup:
    """A file name for HTML that breaks, if it must, after an underscore, a dash or a slash, or before its suffix."""
    return Markup(re.sub(r"(?<=[_\-/])(?=.)|(?=\.\w+$)", "<wbr>", str(escape(plain(name)))))


def direction(name: str) -> str:
    """Which way a decision flipped, with a proper arrow."""
    return DIRECTIONS.get(name, name)


def skip_reason(skipped: "Skipped") -> str:
    """Why a recipe was not made, with the figure that was expected of it."""
    why = skipped.why
    told = f"{number(skipped.latency_ratio, 2)} of float's time" if why == "slow" else percent(skipped.flip_rate, 2)
    return f"{SKIPPED[why]}, {told} expected"


def gate_title(gate: "Gate") -> str:
    """What a gate measures, in words."""
    name = str(gate.name)
    return GATES.get(name, plain(name.removeprefix("max_").removeprefix("min_").replace("_", " ").capitalize()))


def gate_figure(gate: "Gate", key: str) -> str:
    """The gate's "value" or "limit" in the unit it is judged in."""
    if gate.name == "max_bytes":
        return megabytes(gate[key])
    if gate.name in COUNTS:
        return integer(gate[key])
    if gate.name in TINY:
        return tiny(gate[key])
    return percent(gate[key], 2) if gate.name in RATES else number(gate[key], 4)


def gate_reason(gate: "Gate") -> str:
    """One sentence on a gate that failed."""
    what = f"{plain(gate.artifact)}: {gate_title(gate)}"
    value = "could not be measured" if gate.value is None else gate_figure(gate, "value")
    return f"{what} {value}; the limit is {gate_figure(gate, 'limit')}"


def gate_notes(gates: "Sequence[Gate]") -> list[str]:
    """Why gates have another limit than usual, a line each."""
    return [
        f"{plain(gate.artifact)}: {gate_title(gate)}: the limit is {gate_figure(gate, 'limit')}, since "
        f"{plain(gate.reason, 400)}"
        for gate in gates
        if gate.reason
    ]


def _controls(c: str) -> bool:
    return unicodedata.category(c) in CONTROLS or unicodedata.bidirectional(c) in REORDERS
