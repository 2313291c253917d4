"""What the page shows that report.json does not hold as such: headline, timings side by side, provenance in words."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from melanoma_edge.report import wording

STEPS = {
    "exif_transpose": "turned upright as its EXIF says",
    "rgb": "converted to RGB",
    "center_crop_square": "cropped to its centred square",
    "resize_bilinear_antialias": "resized with antialiased bilinear filtering as Pillow does it",
    "normalize": "normalised",
}
SPLITS = {"train": "training", "val": "validation", "test": "test"}
DEVICES = {"cpu": "the CPU", "cuda": "a GPU"}


def headline(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first INT8 file's figures, beside those of the float32 file for the same runtime."""
    quantized = [row for row in report["artifacts"] if row["precision"] != "float32"]
    if not quantized:
        return None
    row = quantized[0]
    same = (r for r in report["artifacts"] if r["precision"] == "float32" and r["format"] == row["format"])
    twin: Mapping[str, Any] = next(same, {})
    return {
        **{key: row[key] for key in ("name", "flips", "auc", "bytes")},
        "p50": (row["latency_ms"] or {}).get("p50"),
        "float_bytes": twin.get("bytes"),
        "float_p50": (twin.get("latency_ms") or {}).get("p50"),
    }


def thread_counts(report: Mapping[str, Any]) -> list[int]:
    """Every number of threads that something was timed with."""
    rows = (report["reference"], *report["artifacts"])
    return sorted({int(timing["threads"]) for row in rows for timing in row["latency"]})


def timed(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a file, the reference first, with its timings in the order of `thread_counts`; {} where there is none."""
    reference = {**report["reference"], "name": "reference", "is_reference": True}
    rows = [*([reference] if reference["latency"] else []), *report.get("also_timed", ()), *report["artifacts"]]
    return [{"is_reference": False, **row, **_timings(row, thread_counts(report))} for row in rows]


def answering(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The reference and every file, with what they answer under the thresholds that ship."""
    rows = [{**report["reference"], "name": "reference", "is_reference": True}, *report["artifacts"]]
    return [{"is_reference": False, **row} for row in rows if row.get("answering")]


def provenance(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it takes to make the build again, as names and values."""
    build, reference = report["build"], report["reference"]
    versions = {"melanoma-edge": report["generator"].rpartition(" ")[2]}
    for file in report["files"]:
        versions |= file.get("versions") or {}
    versions |= {row["runtime"]: row["runtime_version"] for row in report["artifacts"] if row.get("runtime_version")}
    facts = {
        "Command": build.get("command"),
        "Seed": build.get("seed"),
        **{f"Options: {stage}": _pairs(chosen) for stage, chosen in (build.get("options") or {}).items()},
        "Versions": _pairs(versions, " "),
        "Machine": machine(report["bench"].get("machine") or {}),
        "Reference": f"{reference['runtime']} {reference.get('version') or ''} on {device(reference['device'])}, "
        f"{threads(reference['threads'])}",
        "Reference network, sha256": reference.get("sha256"),
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]


def processor(facts: Mapping[str, Any]) -> str:
    """The processor and how many of its cores there were."""
    named = str(facts.get("processor") or "an unnamed processor")
    return wording.plain(", ".join([named, *([f"{facts['cores']} cores"] if facts.get("cores") else [])]))


def machine(facts: Mapping[str, Any]) -> str:
    """The processor, its cores and whatever else is known of the machine."""
    rest = [_told(value) for key, value in facts.items() if key not in {"processor", "cores"}]
    return wording.plain(", ".join([processor(facts), *filter(None, rest)]), 400)


def method(bench: Mapping[str, Any]) -> list[str]:
    """How the latencies were taken, in sentences, and what speaks against them."""
    said = [wording.plain(bench.get("method") or "One image at a time.", 400)]
    cores, load = (bench.get("machine") or {}).get("cores") or 0, (bench.get("load_average") or [0])[0] or 0
    if cores and load > cores + 0.5:
        said.append(
            f"The machine was busy (load {load:.1f} on {cores} cores): believe the ratios, not the milliseconds."
        )
    for count in bench.get("skipped_threads") or ():
        said.append(f"{threads(count).capitalize()} were not timed, for want of cores.")
    return said


def prepared(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What comes before the network, a row a photograph, with timings in the order of `thread_counts`: one has any."""
    counts = thread_counts(report)
    rows = report["bench"].get("preparing") or ()
    return [{**row, "timings": [row if n == min(counts) else {} for n in counts]} for row in rows]


def device(name: str | None) -> str:
    """Where a network ran, in words: a GPU has its own name."""
    return DEVICES.get(str(name), wording.plain(name or "an unnamed device"))


def threads(count: int) -> str:
    """A number of threads in words."""
    return f"{count} thread{'s' if count > 1 else ''}"


def split_name(name: str) -> str:
    """A split in words."""
    return SPLITS.get(name, wording.plain(name))


def step(name: str) -> str:
    """A step of the preprocessing in words."""
    return STEPS.get(name, wording.plain(name.replace("_", " ")))


def channels(values: Sequence[float]) -> str:
    """A value for each channel, or one for all."""
    return ", ".join(f"{v:g}" for v in (values[:1] if len(set(values)) == 1 else values))


def used(gate: Mapping[str, Any]) -> float:
    """How far the meter of a gate is filled, 0 to 100; its limit stands at 80. A value that is no number fills it."""
    if gate["value"] is None:
        return 100.0
    if not gate["limit"]:
        return 0.0 if gate["passed"] else 100.0
    return min(max(round(80 * float(gate["value"]) / float(gate["limit"]), 1), 0.0), 100.0)


def margin(confusion: Mapping[str, Any]) -> float | None:
    """Half the width of the 95 % interval of a sensitivity (Wilson, JASA 22, 1927, 209-212); None without melanomas."""
    n, z = confusion["tp"] + confusion["fn"], 1.96
    if not n:
        return None
    p = confusion["tp"] / n
    return float(z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))


def _timings(row: Mapping[str, Any], threads: list[int]) -> dict[str, Any]:
    by_threads = {int(timing["threads"]): timing for timing in row["latency"]}
    runs = [timing["runs"] for timing in row["latency"]]
    nothing = {"p50": None, "p90": None, "p99": None}
    return {"timings": [by_threads.get(n, nothing) for n in threads], "runs": min(runs) if runs else None}


def _pairs(values: Any, between: str = " = ") -> str:
    """A mapping as `name = value, ...`; what was left open is left out."""
    if not isinstance(values, Mapping):
        return str(values)
    return ", ".join(f"{name}{between}{value}" for name, value in _leaves(values) if value is not None)


def _leaves(values: Mapping[str, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    """Nested options as `parent.name` and value."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{parent}{name}.")
        else:
            yield f"{parent}{name}", value


def _told(value: Any) -> str:
    """A fact as text; nothing for a table of its own."""
    return (
        " ".join(map(str, value)) if isinstance(value, list) else "" if isinstance(value, Mapping) else str(value or "")
    )
