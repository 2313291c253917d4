"""Everything that can be refused before an image is decoded, as sentences: one message lists all that is wrong."""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from melanoma_edge import models
from melanoma_edge.artifact import Stage
from melanoma_edge.data.open import most_images
from melanoma_edge.data.preprocess import Normalization, Preprocessing
from melanoma_edge.data.task import TASKS
from melanoma_edge.errors import EdgeError, InputError, UnsupportedOperatorError
from melanoma_edge.export.check import check_contract
from melanoma_edge.export.heat_map import head
from melanoma_edge.formats.safetensors import FORMAT as CHECKPOINTS
from melanoma_edge.operators.support import unsupported
from melanoma_edge.options import DataOptions, NetworkOptions
from melanoma_edge.stages import untrained
from melanoma_edge.stages.data import TRAIN_MARGIN, task
from melanoma_edge.stages.export import MODEL, adopt, export
from melanoma_edge.train.weights import load_model

LEAVES = ("export", "untrained")  # stages that preflight runs: they are no reason to keep a refused build's folder
COPIES = 14  # of the float network in the work folder and the bundle, as files of all formats and precisions
EVALUATED, TRAINED = 0.30, 0.70  # shares of the images in validation and test, and in training


@dataclass(frozen=True)
class Brought:
    """A trained network. normalization: of an ONNX file's input. classes: what its logits
    are called, in their order and joined by commas; None where they are in the task's order.
    """

    path: Path
    normalization: Normalization
    classes: str | None = None

    @property
    def is_onnx(self) -> bool:
        """Whether it is anyone's ONNX file, and not a checkpoint of ours."""
        return self.path.suffix != CHECKPOINTS.suffix


def train(work: Path, data: DataOptions, network: NetworkOptions, problems: Sequence[str], *, heat_map: bool) -> None:
    """Look at a network that is to be trained, as it is before. Raises InputError for `problems` and what it finds."""
    found, exported = list(problems), None
    try:
        count = len(task(data.task).classes)
        spec = models.spec(
            network.arch, count, image_size=network.image_size, dropout=network.dropout, head=network.head
        )
        if heat_map:
            models.require_linear_head(network.arch, network.head)
        exported = untrained.run(work, spec)
        found += graph(exported, heat_map=False)
        found += disk(work, data, spec.image_size, train=True, network=(exported.folder / MODEL).stat().st_size)
    except (InputError, UnsupportedOperatorError) as error:
        found.append(str(error))
    refuse(found)


def compile_given(
    work: Path, data: DataOptions, brought: Brought, problems: Sequence[str], *, heat_map: bool
) -> tuple[Stage, Preprocessing]:
    """The float graph of a trained network, and how the network's input is normalised.

    Raises InputError for `problems` and for whatever else is wrong with the network, the task or the disk.
    """
    found = list(problems)
    try:
        count, spec = _facts(brought)
        found += [*classes(count, data.task), *gathered(lambda: order(brought.classes, data.task))]
        fits = len(found) == len(problems)
        exported = _export(work, brought, spec, order(brought.classes, data.task) if fits else ())
        found += graph(exported, heat_map=heat_map)
        found += disk(work, data, spec.size, train=False, network=brought.path.stat().st_size)
    except (InputError, UnsupportedOperatorError) as error:
        found.append(str(error))
    refuse(found)
    return exported, spec


def _facts(brought: Brought) -> tuple[int, Preprocessing]:
    """Number of logits, and how the input is normalised."""
    if brought.is_onnx:
        contract = check_contract(brought.path)
        return contract.classes, Preprocessing.of(contract.size, brought.normalization)
    if brought.classes is not None:
        raise InputError("--classes is for --onnx: a checkpoint of ours names its classes itself")
    made_with = load_model(brought.path)[1]
    return made_with.spec.num_classes, Preprocessing(made_with.spec.image_size)


def _export(work: Path, brought: Brought, spec: Preprocessing, order: Sequence[int]) -> Stage:
    return adopt(work, brought.path, spec, order) if brought.is_onnx else export(work, brought.path)


def refuse(problems: Sequence[str]) -> None:
    """Raise one InputError that lists all problems; nothing where there are none."""
    if len(problems) == 1:
        raise InputError(problems[0])
    if problems:
        listed = "; ".join(f"({number}) {problem}" for number, problem in enumerate(problems, 1))
        raise InputError(f"{len(problems)} things are to be mended first: {listed}")


def gathered(*checks: Callable[[], object]) -> list[str]:
    """What those of `checks` say that refuse."""
    found = []
    for check in checks:
        try:
            check()
        except (InputError, UnsupportedOperatorError) as error:
            found.append(str(error))
    return found


def graph(exported: Stage, *, heat_map: bool) -> list[str]:
    """Operators that a file cannot hold, and a head that has no exact heat map where one is wanted."""
    model = ir.load(exported.folder / MODEL)
    return [*unsupported(model), *(gathered(lambda: head(model)) if heat_map else [])]


def classes(found: int, name: str) -> list[str]:
    """A network of another number of logits than the task has classes."""
    known = task(name)
    if found == len(known.classes):
        return []
    fitting = [f"--task {other.name}" for other in TASKS.values() if len(other.classes) == found]
    hint = f"; for {' or '.join(fitting)} it would do" if fitting else ""
    return [
        f"the network gives {found} logits, task {name} has {len(known.classes)} classes "
        f"({', '.join(known.classes)}){hint}"
    ]


def order(names: str | None, name: str) -> tuple[int, ...]:
    """Which outputs of a network are the classes of task `name`, from their names in the network's own order.

    Empty where they are in order already. Raises InputError for names that are not the task's, each once.
    """
    known = task(name)
    if names is None:
        return ()
    given = [part.strip() for part in names.split(",")]
    if sorted(given) != sorted(known.classes):
        raise InputError(
            f"--classes {names}: the classes of task {name} are accepted, each once, in the order of the network's "
            f"logits: {', '.join(known.classes)} in any order"
        )
    found = tuple(given.index(one) for one in known.classes)
    return () if found == tuple(range(len(found))) else found


def disk(work: Path, data: DataOptions, size: int, *, train: bool, network: int) -> list[str]:
    """Too little space for what a build writes: decoded images, unless they are there, and files of the network.

    size: of the network's input in pixels. train: whether training images are decoded. network: bytes of the float one.
    """
    try:
        needed = COPIES * network + (0 if (work / "data").is_dir() else _decoded(data, size, train))
    except EdgeError as error:
        return [str(error)]
    place = next(parent for parent in (work.absolute(), *work.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if needed <= free:
        return []
    return [
        f"a build writes about {_gigabytes(needed)} below {work}, and {_gigabytes(free)} are free there: free some "
        "space, or name another folder with --output"
    ]


def _decoded(data: DataOptions, size: int, train: bool) -> int:
    """Bytes of the uint8 arrays of all splits; an upper bound, since images may be left out."""
    images = most_images(data.data)
    pixels = (EVALUATED * images + min(data.calibration_images, images)) * size**2
    if train:
        pixels += TRAINED * images * math.ceil(size * TRAIN_MARGIN) ** 2
    return int(3 * pixels)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB"
