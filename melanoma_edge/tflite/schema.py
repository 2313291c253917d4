"""LiteRT's own classes of the TFLite format (`ai_edge_litert.schema_py_generated`), imported when the first is used."""

from typing import Any


def __getattr__(name: str) -> Any:
    from ai_edge_litert import schema_py_generated

    return getattr(schema_py_generated, name)
