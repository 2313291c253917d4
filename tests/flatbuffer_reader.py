"""Reads any FlatBuffer by the numbers of its fields, and finds the metadata in a .tflite file."""

import struct

from ai_edge_litert import schema_py_generated as schema


class Reader:
    """Any FlatBuffer's tables, by the numbers of their fields: flatbuffers.dev/internals."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.root = self.number("I", 0)

    def number(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(f"<{kind}", self.data, at)[0])

    def field(self, table: int, slot: int) -> int | None:
        vtable = table - self.number("i", table)
        if 4 + 2 * slot >= self.number("H", vtable):
            return None
        offset = self.number("H", vtable + 4 + 2 * slot)
        return table + offset if offset else None

    def byte(self, table: int, slot: int) -> int:
        at = self.field(table, slot)
        return 0 if at is None else self.number("b", at)

    def table(self, table: int, slot: int) -> int:
        at = self.field(table, slot)
        assert at is not None, f"table at {table} has no field {slot}"
        return at + self.number("I", at)

    def text(self, table: int, slot: int) -> str:
        at = self.table(table, slot)
        return self.data[at + 4 : at + 4 + self.number("I", at)].decode()

    def floats(self, table: int, slot: int) -> list[float]:
        at = self.table(table, slot)
        return list(struct.unpack_from(f"<{self.number('I', at)}f", self.data, at + 4))

    def tables(self, table: int, slot: int) -> list[int]:
        at = self.table(table, slot)
        places = range(at + 4, at + 4 + 4 * self.number("I", at), 4)
        return [place + self.number("I", place) for place in places]


def held(data: bytes) -> bytes:
    """The FlatBuffer of the metadata, found as the schema of .tflite files says."""
    read = schema.Model.GetRootAs(data)
    named = {read.Metadata(i).Name(): read.Metadata(i).Buffer() for i in range(read.MetadataLength())}
    assert set(named) == {b"min_runtime_version", b"TFLITE_METADATA"}
    return bytes(read.Buffers(named[b"TFLITE_METADATA"]).DataAsNumpy().tobytes())
