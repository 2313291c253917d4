"""What report.json, policy.json and their parts are made of: frozen dataclasses that JSON can hold."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from melanoma_edge.artifact import builtins

Figure = float | None  # None: it could not be measured
Share = Annotated[float, Meta(ge=0, le=1)] | None
Correlation = Annotated[float, Meta(ge=-1.000001, le=1.000001)] | None
Distance = Annotated[float, Meta(ge=0)] | None
Count = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
Text = Annotated[str, Meta(min_length=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Estimate = tuple[Figure, Figure, Figure]  # a value and the ends of its 95 % interval
Pair = tuple[Figure, Figure]
T = TypeVar("T")


def by_name(document: object, name: str) -> Any:
    """`document["name"]`, for classes that have it as their `__getitem__`. Raises KeyError for an unknown field."""
    try:
        return getattr(document, name)
    except AttributeError:
        raise KeyError(name) from None


def finite(document: T) -> T:
    """The same document with None for NaN and infinity, and with text that UTF-8 can hold (names may be anything).

    Raises msgspec.ValidationError for a value that its field does not allow.
    """
    return msgspec.convert(_finite(builtins(document)), type(document))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_finite(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value
