"""The tiers of advice, ours or a user's, and the policy that is made of them."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from melanoma_edge.data.quality import CaptureGuide
from melanoma_edge.data.task import Task
from melanoma_edge.errors import InputError
from melanoma_edge.report.bundle import GENERATOR
from melanoma_edge.verify.answering import Thresholds
from melanoma_edge.verify.document import ArtifactRow
from melanoma_edge.verify.policy import UNCERTAIN, FilePolicy, Policy, TierText, Told

NOTICE = "An aid for engineers and researchers. Never a diagnosis."
ACCEPTED = (
    '{"tiers": [{"name", "from", "title", "advice"}, ...], "uncertain": {"title", "advice"}}, with "from" rising '
    "from -1 (p = 0) over 0 (p = the threshold) to less than 1 (p = 1)"
)


@dataclass(frozen=True)
class Tier:
    """A step of advice. start: its least probability relative to the threshold t: -1 is p = 0, 0 is p = t, 1 is p = 1,
    and straight lines between them.
    """

    name: str
    start: float
    title: str
    advice: str

    def bound(self, threshold: float) -> float:
        """The least probability of the tier at a threshold."""
        room = threshold if self.start < 0 else max(1 - threshold, 0)
        return threshold + self.start * room


@dataclass(frozen=True)
class Advice:
    """Tiers, lowest first, and what is said where the prediction is too uncertain for any of them."""

    tiers: tuple[Tier, ...]
    uncertain: Tier


def read_advice(path: str | None) -> Advice:
    """The user's file, or our own texts for None.

    Raises InputError, saying what is accepted, for a file that is no such JSON, an empty text, a name that stands twice
    or is "uncertain", and bounds that do not rise, do not begin at p = 0, or leave out the threshold.
    """
    if path is None:
        text = package_files("melanoma_edge.report").joinpath("templates", "advice.json").read_text()
    else:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--advice {path} cannot be read ({error}): name a JSON file, {ACCEPTED}") from None
    where = f"--advice {path}"
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where} is not JSON ({error}): accepted is {ACCEPTED}") from None
    found = given if isinstance(given, dict) else {}
    rows = found.get("tiers")
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{where} has no list of tiers: accepted is {ACCEPTED}")
    tiers = tuple(_tier(where, f"tier {number}", row) for number, row in enumerate(rows, start=1))
    _check_bounds(where, tiers)
    return Advice(tiers, _tier(where, UNCERTAIN, found.get(UNCERTAIN)))


def build_policy(
    name: str,
    task: Task,
    artifacts: Sequence[ArtifactRow],
    advice: Advice,
    at: Thresholds,
    min_kept: float,
    capture: CaptureGuide | None = None,
) -> Policy:
    """The document of policy.json.

    at: the reference's thresholds, which every file ships with: the gates judge those, and a file's own would keep
    fewer of the reference's decisions (`verify.answering`). min_kept: the least share of the validation images that is
    answered.
    """
    bounds = tuple(tier.bound(at.decision) for tier in advice.tiers)
    return Policy(
        generator=GENERATOR,
        name=name,
        notice=NOTICE,
        task=task,
        min_kept=min_kept,
        tiers=tuple(TierText(tier.title, tier.advice, tier.name) for tier in advice.tiers),
        uncertain=Told(advice.uncertain.title, advice.uncertain.advice),
        artifacts=tuple(
            FilePolicy(
                row.name,
                row.format,
                row.precision,
                at.decision,
                at.uncertain,
                row.answering.own_temperature if row.answering else None,
                bounds,
            )
            for row in artifacts
        ),
        capture=capture,
    )


def _tier(where: str, what: str, row: Any) -> Tier:
    """A tier from JSON, or the text for uncertain predictions, which needs neither a name nor a bound."""
    if not isinstance(row, dict):
        raise InputError(f"{where}: {what} is missing or no object: accepted is {ACCEPTED}")
    named = {"name": UNCERTAIN, "from": 0, **row} if what == UNCERTAIN else row
    for key in ("name", "title", "advice"):
        if not isinstance(named.get(key), str) or not named[key].strip():
            raise InputError(f"{where}: {key!r} of {what} is {named.get(key)!r}: a text that is not empty is accepted")
    start = named.get("from")
    if isinstance(start, bool) or not isinstance(start, int | float) or abs(start) >= 2:  # integers may exceed floats
        raise InputError(f"{where}: 'from' of {what} is {start!r:.20}: a number from -1 to less than 1 is accepted")
    return Tier(named["name"].strip(), float(start), named["title"].strip(), named["advice"].strip())


def _check_bounds(where: str, tiers: Sequence[Tier]) -> None:
    names, starts = [tier.name for tier in tiers], [tier.start for tier in tiers]
    if len(set(names)) < len(names) or UNCERTAIN in names:
        raise InputError(
            f"{where}: the tiers are called {', '.join(names)}: names that differ are accepted, but not {UNCERTAIN!r}"
        )
    shown = ", ".join(f"{start:g}" for start in starts)
    if not all(a < b for a, b in itertools.pairwise(starts)):
        raise InputError(f"{where}: 'from' of the tiers is {shown}: rising numbers are accepted, the lowest tier first")
    if starts[0] != -1 or starts[-1] >= 1:
        raise InputError(
            f"{where}: 'from' of the tiers is {shown}: accepted is a first of -1 (p = 0), and none of 1 (p = 1)"
        )
    if 0 not in starts:
        raise InputError(
            f"{where}: 'from' of the tiers is {shown}: accepted are tiers of which one begins at 0, the threshold, so "
            "that none holds images that are decided differently"
        )
