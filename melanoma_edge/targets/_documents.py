"""What packages of any target are written with: their name, JSON, the entry of a file, texts that are filled in."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from melanoma_edge.targets import Contents


def package_name(bundle: str) -> str:
    """The bundle's name in the letters that npm and Maven take: lower case, digits, hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", bundle.lower()).strip("-") or "melanoma-edge-network"


def filled(template: str, words: Mapping[str, str]) -> str:
    """The text with its words in capitals filled in; those that `words` does not have stay."""
    return re.sub(r"\b[A-Z]{4,}\b", lambda found: words.get(found[0], found[0]), template)


def listed(data: bytes) -> dict[str, Any]:
    """What a manifest says of a file."""
    return {"sha256": sha256(data).hexdigest(), "bytes": len(data)}


def document(value: Any) -> bytes:
    """A JSON file. Raises ValueError for a number that is not finite."""
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


def header(contents: Contents, form: int) -> dict[str, Any]:
    """What the manifest of every package begins with. form: version of the package's own format."""
    return {
        "format": form,
        "name": contents.name,
        "generator": contents.generator,
        "preprocessing": asdict(contents.preprocessing),
        "classes": list(contents.task.classes),
        "melanoma": contents.task.melanoma,
    }
