"""Zip files whose bytes depend on nothing but what they hold."""

import io
import zipfile
from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can tell


def archive(held: Mapping[str, bytes], *, behind: bytes = b"") -> bytes:
    """A zip file of these entries with fixed times. Nothing is compressed: deflate's bytes depend on zlib's version.

    behind: what the file begins with, which readers of zip files pass over.
    """
    buffer = io.BytesIO()
    buffer.write(behind)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(held):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o40755 << 16 | 0x10) if name.endswith("/") else 0o100644 << 16
            made.writestr(entry, held[name])
    return buffer.getvalue()
