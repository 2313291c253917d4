"""What a model file can be. A format is one file here, and its `FORMAT` says all that differs from the others."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from melanoma_edge import registry
from melanoma_edge.errors import InputError

if TYPE_CHECKING:
    import onnx_ir as ir

    from melanoma_edge.artifact import Artifact
    from melanoma_edge.data.preprocess import Preprocessing
    from melanoma_edge.runtime.predict import Predict
    from melanoma_edge.tflite.metadata import About

ROOM = "melanoma_edge.formats"


class Runtime(Protocol):
    """What a runtime is to a format: a module of `runtime`."""

    def available(self) -> str | None:
        """None, or one line on how to get it."""

    def versions(self) -> Mapping[str, str]:
        """The installed packages that have it with their versions, the preferred first."""

    def imports(self) -> tuple[str, ...]:
        """Modules that it imports anyway, whose memory is no property of a file."""

    def load(
        self, path: Path, spec: "Preprocessing | None" = None, *, threads: int = 1, device: str = "auto"
    ) -> "Predict":
        """A file, loaded. Raises InputError when it is corrupt, no classifier, or not of `spec.size`."""


@dataclass(frozen=True)
class OnDevice:
    """A network on a GPU. on: a number of images to the call that runs on as many. fixed: takes one image only."""

    precision: str
    on: Callable[[int], Callable[[], object]]
    fixed: bool = False


@dataclass(frozen=True)
class Format:
    """A kind of model file; its name is its file's here, and what `Artifact.format` says.

    library: what Hugging Face calls it. runtime, in_browser: names of what runs it natively and in a browser, in
    `kernels` and `bench.profilers`; the latter is None where nothing does. engine: imports the former; package: the
    distribution that holds it, on ARM64 too. gpu: whether it takes a GPU. is_graph: whether a file is itself the graph
    that files of other formats are written from. on_gpu: with what a GPU can be timed. write: a graph, which stays as
    it is, to a file, with what the file tells of itself; None where only training writes one. settings: of the
    runtime's session, for one file.
    """

    name: str
    suffix: str
    library: str
    runtime: str
    package: str
    engine: Callable[[], Runtime]
    gpu: bool = False
    is_graph: bool = False
    in_browser: str | None = None
    write: "Callable[[ir.Model, Path, About | None], None] | None" = None
    on_gpu: Callable[[Path], Iterable[OnDevice]] = lambda path: ()
    settings: Callable[[Path], Mapping[str, str]] = lambda path: {}


@cache
def known() -> tuple[Format, ...]:
    """Every format, by name."""
    return tuple(named(name) for name in registry.names(ROOM))


def named(name: str) -> Format:
    """The format of that name. Raises InputError, listing the known, for another."""
    found: Format = registry.load(ROOM, name).FORMAT
    return found


def of(path: Path) -> Format:
    """The format that a file's suffix names. Raises InputError, listing the known, for another."""
    for one in known():
        if path.suffix == one.suffix:
            return one
    raise InputError(f"{path}: no runtime for {path.suffix or 'a file without suffix'}; known are {suffixes()}")


def suffixes() -> str:
    """Those of every format, for a message."""
    return ", ".join(one.suffix for one in known())


def load(
    artifact: "Artifact | Path", spec: "Preprocessing | None" = None, *, threads: int = 1, device: str = "auto"
) -> "Predict":
    """Load a model file in its format's runtime.

    spec: None takes the size that the file states, normalised as `(pixel - 128) / 128`. device: "auto", "cpu" or "cuda"
    for formats that take a GPU. Raises InputError for another suffix, a missing or corrupt file, another input size
    than `spec`'s, or a runtime that is not installed.
    """
    path = artifact if isinstance(artifact, Path) else artifact.path
    form = of(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist, or is not a file")
    runtime = form.engine()
    missing = runtime.available()
    if missing is not None:
        raise InputError(f"{path} cannot be run: {missing}")
    return runtime.load(path, spec, threads=threads, device=device)


def written() -> tuple[Format, ...]:
    """The formats that a graph can be written in."""
    return tuple(one for one in known() if one.write is not None)


def write(model: "ir.Model", path: Path, *, about: "About | None" = None) -> None:
    """Write `model`, float32 or quantised, which stays as it is, to a file of the format that its suffix names.

    about: what the file tells of itself, where its format can. Raises InputError for a suffix that no graph is written
    in, UnsupportedOperatorError as the format's writer does.
    """
    for one in written():
        if path.suffix == one.suffix and one.write is not None:
            return one.write(model, path, about)
    raise InputError(f"{path.name}: written are {' and '.join(one.suffix for one in written())}")
