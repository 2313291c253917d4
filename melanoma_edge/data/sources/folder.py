"""folder:PATH - your own images in class folders (with or without train/val/test above), or listed in a labels.csv."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from melanoma_edge.data.dataset import Dataset, Problem, Sample
from melanoma_edge.data.images import EXTENSIONS, is_image_name
from melanoma_edge.data.table import SPLIT_NAMES, read_table, split_name, unique_rows
from melanoma_edge.data.task import MELANOMA_NAMES
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

LABELS = "labels.csv"
IMAGE_COLUMNS = ("image", "image_id", "file", "filename", "path")
LABEL_COLUMNS = ("label", "diagnosis", "dx", "class")
GROUP_COLUMNS = ("patient_id", "lesion_id", "group")
_ACCEPTED = (
    f"PATH/<class>/*.jpg, PATH/<train|val|test>/<class>/*.jpg, or PATH/{LABELS} with an image and a label column"
)


def load(location: str, progress: Progress = silent) -> Dataset:
    """The dataset in the folder `location`, read by its `labels.csv` if there is one and by class folders otherwise.

    Classes are the folder names or labels in lower case, blanks and hyphens as underscores. The group is patient_id,
    else lesion_id, else group, else the image itself. Raises InputError when the folder is missing or holds no labelled
    image.
    """
    if not location:
        raise InputError(f"folder needs its path, folder:PATH; accepted are {_ACCEPTED}")
    root = Path(location).expanduser()
    if not root.is_dir():
        raise InputError(f"there is no folder {root}; accepted are {_ACCEPTED}")
    samples, problems = _from_table(root) if (root / LABELS).is_file() else _from_folders(root)
    if not samples:
        why = f" ({len(problems)} problems, first {problems[0].where}: {problems[0].why})" if problems else ""
        raise InputError(f"{root} holds no labelled image{why}; accepted are {_ACCEPTED}")
    return Dataset("folder", tuple(samples), tuple(problems), notes=tuple(_doubtful(samples)))


def class_name(text: str) -> str:
    """A class as it is compared: lower case, blanks and hyphens as underscores."""
    return "_".join(text.lower().replace("-", " ").split())


def _doubtful(samples: Sequence[Sample]) -> Iterator[str]:
    """A note on classes that speak of melanoma and yet are not known as melanoma."""
    for name in sorted({sample.diagnosis for sample in samples} - MELANOMA_NAMES):
        if "melanom" in name and not name.startswith(("no_", "non_", "not_", "nonmelanom")):
            yield f"class {name!r} does not count as melanoma: rename it to melanoma if it should"


def _from_folders(root: Path) -> tuple[list[Sample], list[Problem]]:
    folders = _folders(root)
    split_folders = [folder for folder in folders if folder.name.lower() in SPLIT_NAMES and _folders(folder)]
    samples: list[Sample] = []
    problems = [Problem(str(path), "image outside a class folder") for path in _images(root)]
    if not split_folders:
        for folder in folders:
            _read_class(root, folder, "", samples, problems)
        return samples, problems
    for folder in folders:
        if folder not in split_folders:
            problems.append(Problem(str(folder), "folder beside train, val and test, left out"))
            continue
        problems += [Problem(str(path), "image outside a class folder") for path in _images(folder)]
        for inner in _folders(folder):
            _read_class(root, inner, split_name(folder.name, str(folder)), samples, problems)
    return samples, problems


def _read_class(root: Path, folder: Path, split: str, samples: list[Sample], problems: list[Problem]) -> None:
    """Add the images of one class folder to `samples`, and what is not an image to `problems`."""
    before = len(samples)
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if is_image_name(path):
            samples.append(Sample(name, path, class_name(folder.name), name, split))
        elif not path.name.startswith("."):
            accepted = " ".join(sorted(EXTENSIONS))
            why = "folder inside a class folder" if path.is_dir() else f"not named as an image ({accepted})"
            problems.append(Problem(str(path), why))
    if len(samples) == before:
        problems.append(Problem(str(folder), "class folder without an image"))


def _from_table(root: Path) -> tuple[list[Sample], list[Problem]]:
    table = root / LABELS
    rows = read_table(table)
    if not rows:
        raise InputError(f"{table} has no row below its header: one for each image is needed")
    image, label = _column(table, rows, IMAGE_COLUMNS), _column(table, rows, LABEL_COLUMNS)
    files = [path for path in sorted(root.rglob("*")) if is_image_name(path) and path.is_file()]
    located, problems = _find_files(root, files, rows, image)
    unique, repeated = unique_rows(located, image, label, LABELS)
    problems += repeated
    patients = {row["lesion_id"]: row["patient_id"] for row in rows if row.get("lesion_id") and row.get("patient_id")}
    samples = []
    for name, row in unique.items():
        if not row[label]:
            problems.append(Problem(name, "row without a label"))
            continue
        # A patient named in one row of a lesion is the patient of its other rows too.
        group = row.get("patient_id") or patients.get(row.get("lesion_id", "")) or _first(row, GROUP_COLUMNS) or name
        split = split_name(row.get("split", ""), f"{table}, {name}")
        metadata = {key: value for key, value in row.items() if value and key not in (image, label, "split", "")}
        samples.append(Sample(name, root / name, class_name(row[label]), group, split, metadata))
    listed = {row[image] for row in located}
    names = (path.relative_to(root).as_posix() for path in files)
    problems += [Problem(str(root / name), "image without a label") for name in names if name not in listed]
    return samples, problems


def _column(table: Path, rows: Sequence[Mapping[str, str]], accepted: Sequence[str]) -> str:
    for name in accepted:
        if name in rows[0]:
            return name
    raise InputError(f"{table} has no column {' or '.join(accepted)}: found {', '.join(rows[0])}")


def _find_files(
    root: Path, files: Sequence[Path], rows: Sequence[dict[str, str]], column: str
) -> tuple[list[dict[str, str]], list[Problem]]:
    """The rows whose image is one file under `root`, with the image column as the path relative to `root`.

    An image may be named by its path or its file name, with or without the suffix.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for path in files:
        inside = path.relative_to(root)
        for key in (inside.as_posix(), inside.with_suffix("").as_posix(), path.name, path.stem):
            known[key].add(inside.as_posix())
    located, problems = [], []
    for line, row in enumerate(rows, start=2):
        name = row[column].removeprefix("./")
        exact = {name} & known.get(name, set())
        matches = sorted(exact or known.get(name, set()))
        if len(matches) == 1:
            located.append({**row, column: matches[0]})
        elif matches:
            problems.append(Problem(name, f"names several images: {', '.join(matches[:5])}"))
        else:
            problems.append(Problem(name or f"{LABELS} row {line}", "label without an image"))
    return located, problems


def _first(row: Mapping[str, str], names: Sequence[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _folders(folder: Path) -> list[Path]:
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and not inner.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_image_name(path) and path.is_file())
