"""What a build ships for. A target is one file here, and its `TARGET` says all that differs from the others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from melanoma_edge import registry
from melanoma_edge.errors import EdgeError
from melanoma_edge.formats import Format
from melanoma_edge.progress import Progress

if TYPE_CHECKING:
    from melanoma_edge.artifact import Artifact
    from melanoma_edge.bench.document import BrowserReport
    from melanoma_edge.data.preprocess import Preprocessing
    from melanoma_edge.data.task import Task

ROOM = "melanoma_edge.targets"
Options = TypeVar("Options")


@dataclass(frozen=True)
class NoOptions:
    """Of a target that leaves nothing to choose."""


@dataclass(frozen=True)
class Place:
    """A model file that a target takes. alone: in its folder of the bundle; otherwise only its package has the file."""

    format: Format
    precision: str  # as in Artifact
    alone: bool = True

    def takes(self, artifact: "Artifact") -> bool:
        """Whether it is this file."""
        return (artifact.format, artifact.precision) == (self.format.name, self.precision)


@dataclass(frozen=True)
class Contents:
    """What a package is made of.

    policy: policy.json, as the bundle has it. licence: of the weights, in words. exact: whether every operator of the
    INT8 graph gives the same bits in every runtime. times: what the target's `time` gave, None where nothing was timed.
    """

    name: str
    generator: str
    artifacts: "Sequence[Artifact]"
    preprocessing: "Preprocessing"
    task: "Task"
    policy: bytes
    licence: str
    exact: bool = True
    times: "BrowserReport | None" = None


@dataclass(frozen=True)
class Target(Generic[Options]):
    """Where files are shipped to; its name is its file's here.

    places: the files that it takes. options: its own, a frozen dataclass of `options.choice` fields, which the command
    line offers under their names; `dataclasses.replace` gives a target with others. missing: one line for each tool
    that these options ask for and that is not there. time: the times of its files where they will run, the default
    first, as report.json has them in "bench"; takes options, work folder, artifacts, side of the input, runs, progress.
    package: writes what else is shipped below a folder, under the bundle's names, once every gate has passed. parts:
    sha256 of what goes into that package and is the same for every network.
    """

    name: str
    places: tuple[Place, ...]
    options: Options
    missing: Callable[[Options], Sequence[str]] = lambda options: ()
    time: "Callable[[Options, Path, Sequence[Artifact], int, int, Progress], BrowserReport] | None" = None
    package: Callable[[Options, Contents, Path], None] | None = None
    parts: Callable[[], str] = lambda: ""


def named(name: str) -> Target[Any]:
    """The target of that name, with its default options. Raises InputError, listing the known, for another."""
    found: Target[Any] = registry.load(ROOM, name).TARGET
    return found


def known() -> tuple[Target[Any], ...]:
    """Every target, by name."""
    return tuple(named(name) for name in registry.names(ROOM))


def choose(wanted: Iterable[str | Target[Any]]) -> tuple[Target[Any], ...]:
    """Targets by name, or as they are, each once. Raises InputError, listing the known, for an unknown name."""
    targets = [named(one) if isinstance(one, str) else one for one in wanted]
    return tuple({target.name: target for target in targets}.values())


def wanted_files(targets: Sequence[Target[Any]]) -> tuple[tuple[Format, str], ...]:
    """Format and precision of every file that the targets take, each once."""
    places = [place for target in targets for place in target.places]
    return tuple(dict.fromkeys((place.format, place.precision) for place in places))


def missing(targets: Sequence[Target[Any]]) -> list[str]:
    """One line for each tool that the targets' options ask for and that is not there."""
    return [line for target in targets for line in target.missing(target.options)]


def pack(target: Target[Any], artifacts: "Sequence[Artifact]") -> Mapping[str, Path]:
    """Where the target's model files go in the bundle: relative name to the file it is copied from.

    Raises EdgeError when one that it takes was not made.
    """
    made = {place: next((a.path for a in artifacts if place.takes(a)), None) for place in target.places}
    lacking = ", ".join(f"{place.precision} {place.format.name}" for place, path in made.items() if path is None)
    if lacking:
        listed = ", ".join(f"{a.precision} {a.format}" for a in artifacts) or "nothing"
        raise EdgeError(f"target {target.name} needs {lacking}, and only {listed} was made")
    return {f"{target.name}/{path.name}": path for place, path in made.items() if path is not None and place.alone}
