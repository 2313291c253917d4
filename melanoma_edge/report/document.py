"""report.json: everything a build proved, as one document. Every other form of the report is rendered from it."""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from typing import Any

import melanoma_edge
from melanoma_edge.report import wording

Rows = Sequence[Mapping[str, Any]]

SCHEMA_VERSION = 1
ARM64 = "max_arm64_"  # how the names of its gates begin
LATENCY = ("p50", "p90", "p99", "runs", "threads")
LIMITS_OF_USE = (
    "An aid for engineers and researchers who build and compare software. It is never a diagnosis.",
    "It is not a medical device: no authority has cleared it, and nobody has tested it in a clinic.",
    "The figures hold for images like the test images, judged one by one. They say nothing about other cameras, other "
    "skin, or lesions that are rare or absent in the data.",
    "A lesion that worries somebody is shown to a dermatologist, whatever this software says.",
)


def build_report(
    *,
    build: Mapping[str, Any],
    data: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    reference: Mapping[str, Any],
    verify: Mapping[str, Any],
    bench: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
    files: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The document of report.json, as `schema()` describes it. Every argument is JSON-able, NaN and infinity allowed.

    build: name, created_utc, task {name, classes, melanoma}, arch (None for a network from elsewhere), image_size,
    seed, options. data: `data.inspect.summarize`, and "calibration". preprocessing: `Preprocessing.describe`.
    reference: runtime, version, device, threads and sha256 of the network that made the reference predictions.
    verify, bench: the documents of `verify/` and `bench/`; verify's "heat_maps", where it has any, is that of
    `stages.heat_maps`. training: what the training stage wrote, with "history" as rows; None for a network from
    elsewhere. files: "file", sha256, bytes and how it was made, one entry a file.
    What is not a number becomes null, and a gate without a number has failed.
    """
    gates = [_gate(gate) for gate in verify["gates"]]
    document = {
        "schema_version": SCHEMA_VERSION,
        "generator": f"melanoma-edge {melanoma_edge.__version__}",
        "name": build["name"],
        "created_utc": build["created_utc"],
        "verdict": verdict(gates),
        "warnings": verify.get("warnings", []),
        "operating_point": verify["operating_point"],
        "rejection": verify.get("rejection"),
        "reference": _reference(reference, verify["reference"], bench.get("rows", ())),
        "artifacts": _artifacts(verify["artifacts"], bench.get("rows", ()), files),
        "also_timed": _also_timed(reference, verify["artifacts"], bench.get("rows", ())),
        "gates": gates,
        "flips": verify["flips"],
        "agreement": verify["agreement"],
        "robustness": verify.get("robustness"),
        "build": {key: value for key, value in build.items() if key not in {"name", "created_utc"}},
        "data": data,
        "preprocessing": preprocessing,
        "training": training,
        "heat_maps": verify.get("heat_maps"),
        "arm64": None,  # until `with_arm64`
        "bench": {key: value for key, value in bench.items() if key != "rows"},
        "files": list(files),
        "limits_of_use": list(LIMITS_OF_USE),
    }
    return dict(jsonable(document))


def verdict(gates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whether a build ships, and one sentence for each reason why it does not. A build that no gate judged does not."""
    failed = [wording.gate_reason(gate) for gate in gates if not gate["passed"]]
    reasons = failed if gates else ["no gate judged it"]
    return {"ships": not reasons, "reasons": reasons}


def with_arm64(report: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A report with what `stages.arm64` found in it: its gates are judged with the others."""
    gates = [gate for gate in report["gates"] if not str(gate["name"]).startswith(ARM64)]
    gates += [_gate(gate) for gate in found["gates"]]
    own = {key: value for key, value in found.items() if key != "gates"}
    return dict(jsonable({**report, "arm64": own, "gates": gates, "verdict": verdict(gates)}))


def schema(document: str = "report") -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of report.json, or of policy.json."""
    text = package_files("melanoma_edge.report").joinpath("schema", f"{document}.schema.json").read_text()
    return dict(json.loads(text))


def jsonable(value: Any) -> Any:
    """`value` with null for NaN and infinity, and with text that UTF-8 can hold (file names may be anything)."""
    if isinstance(value, Mapping):
        return {jsonable(str(key)): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _gate(gate: Mapping[str, Any]) -> dict[str, Any]:
    """A gate whose value is no number has failed, whatever else it says."""
    measured = gate["value"] is not None and math.isfinite(gate["value"])
    return {**gate, "value": gate["value"] if measured else None, "passed": bool(gate["passed"]) and measured}


def _reference(made: Mapping[str, Any], judged: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """The reference; the rows of the bench call it "reference", or by its file."""
    names = ("reference", made.get("model"))
    size = next((row.get("bytes") for row in rows if row["name"] in names), None)
    return {"bytes": size, **made, **judged, **_latency(rows, names)}


def _artifacts(judged: Rows, rows: Rows, files: Rows) -> list[dict[str, Any]]:
    """Every artifact with its timings and its place in the bundle."""
    places = {str(entry["file"]).rpartition("/")[2]: entry["file"] for entry in files}
    return [{**a, "file": places.get(a["name"], a["name"]), **_latency(rows, (a["name"],))} for a in judged]


def _also_timed(made: Mapping[str, Any], judged: Rows, rows: Rows) -> list[dict[str, Any]]:
    """What was timed beside the reference and the artifacts: the float network in other runtimes."""
    known = {"reference", made.get("model"), *(a["name"] for a in judged)}
    firsts = {row["name"]: row for row in rows if row["name"] not in known}
    facts = ("name", "runtime", "bytes")
    return [{**{key: row.get(key) for key in facts}, **_latency(rows, (name,))} for name, row in firsts.items()]


def _latency(rows: Rows, names: Sequence[str | None]) -> dict[str, Any]:
    """The timings of one file: `latency_ms` with the fewest threads, `latency` with every thread count; cold start with
    the fewest, and peak memory."""
    own = sorted((row for row in rows if row["name"] in names), key=lambda row: int(row["threads"]))
    every = [{key: value for key, value in row.items() if key != "name"} for row in own]
    if not own:
        return {"latency_ms": None, "partitions": None, "latency": every}
    load, first = own[0].get("load_ms"), own[0].get("first_run_ms")
    return {
        "latency_ms": {key: own[0][key] for key in LATENCY},
        "partitions": own[0].get("partitions"),
        "latency": every,
        "cold_start_ms": load + first if load is not None and first is not None else None,
        "peak_memory_bytes": own[0].get("peak_memory_bytes"),
    }
