"""policy.json: at which threshold an app decides, when it says "uncertain", and what it advises in which words."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.data import quality
from melanoma_edge.errors import InputError
from melanoma_edge.report.bundle import GENERATOR
from melanoma_edge.verify.answering import Thresholds
from melanoma_edge.verify.rejection import entropy

POLICY = "policy.json"
SCHEMA_VERSION = 1
UNCERTAIN = "uncertain"
NOTICE = "An aid for engineers and researchers. Never a diagnosis."
ENTROPY = {
    "formula": "-p ln p - (1 - p) ln(1 - p)",
    "p": "probability of melanoma: softmax of the file's logits, at task.melanoma",
    "unit": "nats",
}
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


@dataclass(frozen=True)
class Answer:
    """What an app shows for one image. entropy: in nats. title, advice: the tier's, or those of `uncertain`."""

    decision: str  # "melanoma" or "other"
    tier: str
    uncertain: bool
    entropy: float
    title: str
    advice: str


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
    task: Mapping[str, Any],
    artifacts: Sequence[Mapping[str, Any]],
    advice: Advice,
    at: Thresholds,
    min_kept: float,
) -> dict[str, Any]:
    """The document of policy.json, as its schema describes it.

    artifacts: rows of the verify document. at: the reference's thresholds, which every file ships with: the gates judge
    those, and a file's own would keep fewer of the reference's decisions (`verify.answering`). min_kept: the least
    share of the validation images that is answered.
    """
    texts = [{"name": tier.name, "title": tier.title, "advice": tier.advice} for tier in advice.tiers]
    return {
        "schema_version": SCHEMA_VERSION,
        "generator": GENERATOR,
        "name": name,
        "notice": NOTICE,
        "task": dict(task),
        "entropy": ENTROPY,
        "min_kept": min_kept,
        "tiers": texts,
        UNCERTAIN: {"title": advice.uncertain.title, "advice": advice.uncertain.advice},
        "artifacts": [_entry(row, advice, at) for row in artifacts],
    }


def read_policy(folder: Path) -> dict[str, Any]:
    """The policy of a bundle. Raises InputError when there is none that this version wrote."""
    path = folder / POLICY
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{folder} holds no {POLICY} of this version of melanoma-edge: build again")
    return found


def answer(policy: Mapping[str, Any], artifact: str, p: float) -> Answer:
    """What a policy says to a probability of melanoma by one of its files: the code that an app needs.

    Raises InputError for a file that the policy does not know.
    """
    own = entry(policy, artifact)
    number = max((i for i, bound in enumerate(own["bounds"]) if p >= bound), default=0)
    spread = float(entropy(np.array([p]))[0])
    unsure = not spread <= own["rejection_threshold"]  # a NaN is not sure of anything
    told = policy[UNCERTAIN] if unsure else policy["tiers"][number]
    decision = "melanoma" if p >= own["threshold"] else "other"
    return Answer(decision, policy["tiers"][number]["name"], unsure, spread, told["title"], told["advice"])


def faults(policy: Mapping[str, Any], pixels: NDArray[np.uint8]) -> list[str]:
    """What a policy says is wrong with a picture, uint8 `[S, S, 3]`: codes of `quality.ADVICE`, none without limits.

    Raises InputError when its limits are of measures that this version does not know.
    """
    capture = policy.get("capture")
    if not capture:
        return []
    if capture.get("version") != quality.VERSION:
        found = f"limits of version {capture.get('version')} of the capture quality"
        raise InputError(f"{POLICY} has {found}; accepted is {quality.VERSION}: build again")
    return list(quality.advice(quality.measure(pixels), quality.Limits(**capture["limits"])))


def entry(policy: Mapping[str, Any], artifact: str) -> Mapping[str, Any]:
    """The thresholds of one file. Raises InputError, listing the known, for another."""
    for row in policy["artifacts"]:
        if row["name"] == artifact:
            return dict(row)
    known = ", ".join(row["name"] for row in policy["artifacts"]) or "no file"
    raise InputError(f"{POLICY} says nothing of {artifact}: it knows {known}")


def _entry(row: Mapping[str, Any], advice: Advice, at: Thresholds) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("name", "format", "precision")},
        "threshold": at.decision,
        "rejection_threshold": at.uncertain,
        "temperature": (row.get("answering") or {}).get("own_temperature"),
        "bounds": [tier.bound(at.decision) for tier in advice.tiers],
    }


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
