"""What a runtime tells of a file besides its answers, by the runtime's name in `formats`.

A profiler has `METHOD`, how the times come about, in words; `profile(path, runs=, progress=)`, the file's operators;
and `partitions(path)`, None where the runtime has no delegate.
"""

from pathlib import Path
from types import ModuleType

from melanoma_edge import formats, registry

ROOM = "melanoma_edge.bench.profilers"


def of(path: Path) -> ModuleType | None:
    """The profiler of a file's runtime, None when it has none."""
    runtime = formats.of(path).runtime
    return registry.load(ROOM, runtime) if runtime in registry.names(ROOM) else None


def suffixes() -> tuple[str, ...]:
    """Of the files that have one."""
    return tuple(form.suffix for form in formats.known() if form.runtime in registry.names(ROOM))
