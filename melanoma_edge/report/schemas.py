"""The JSON Schemas (draft 2020-12) of report.json and policy.json, made from their dataclasses.

`make schema` writes them anew: `python -m melanoma_edge.report.schemas`.
"""

import json
from collections.abc import Mapping
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import msgspec

from melanoma_edge.artifact import json_text, write_atomic
from melanoma_edge.report.document import Report
from melanoma_edge.verify.policy import Policy

FOLDER = Path(__file__).parent / "schema"
KEPT = "New keys may appear within a schema version; none goes or changes its meaning."
TEXTS = {
    "report": f"What a build proved. Probabilities, rates and metrics are shares of 1; null was not measured. {KEPT}",
    "policy": f"How an app decides, when it is uncertain, and what it advises. {KEPT}",
}
# What no single field can say: a build ships when every gate passed, and a gate without a value has not.
PASSED = {"minItems": 1, "items": {"properties": {"passed": {"const": True}, "value": {"type": "number"}}}}
RULES: Mapping[str, Mapping[str, Any]] = {
    "report": {
        "if": {"properties": {"verdict": {"properties": {"ships": {"const": True}}}}},
        "then": {"properties": {"gates": PASSED, "verdict": {"properties": {"reasons": {"maxItems": 0}}}}},
        "else": {"properties": {"verdict": {"properties": {"reasons": {"minItems": 1}}}}},
    },
    "policy": {},
}


def schema(name: str = "report") -> dict[str, Any]:
    """The schema of report.json, or of policy.json, as it is published."""
    text = package_files("melanoma_edge.report").joinpath("schema", f"{name}.schema.json").read_text()
    return dict(json.loads(text))


def made() -> dict[str, dict[str, Any]]:
    """What `schema` has to be, by name."""
    kinds = {"report": Report, "policy": Policy}
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:melanoma-edge:{name}:1",
            "title": f"{name}.json of melanoma-edge",
            "description": TEXTS[name],
            **msgspec.json.schema(kind, schema_hook=_any),
            **RULES[name],
        }
        for name, kind in kinds.items()
    }


def _any(kind: type) -> dict[str, Any]:
    """An option of any type."""
    return {"title": "any"}


if __name__ == "__main__":
    for name, document in made().items():
        write_atomic(FOLDER / f"{name}.schema.json", json_text(document))
