"""ham10000:PATH - the 10,015 dermoscopic images of HAM10000 in their official layout (CC BY-NC 4.0).

Tschandl, Rosendahl, Kittler: The HAM10000 dataset. Scientific Data 5:180161 (2018), doi:10.7910/DVN/DBW86T.
"""

from collections.abc import Mapping
from pathlib import Path

from melanoma_edge.data.dataset import Dataset, Problem, Sample
from melanoma_edge.data.images import is_image_name
from melanoma_edge.data.table import read_table, split_name, unique_rows
from melanoma_edge.data.task import HAM10000_CLASSES
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

LICENCE = "CC BY-NC 4.0"
METADATA = ("HAM10000_metadata.csv", "HAM10000_metadata")
IMAGE_FOLDERS = ("images", "HAM10000_images_part_1", "HAM10000_images_part_2", ".")
_KEPT = ("sex", "age", "localization", "dx_type")
_GET_IT = "`melanoma-edge data download ham10000 DIR` fetches it"


def load(location: str, progress: Progress = silent) -> Dataset:
    """The dataset in the folder `location`; the splits are empty unless `splits.csv` stands beside the metadata.

    Raises InputError when the folder or its metadata is missing, or no labelled image is in it.
    """
    root = _folder(location)
    table = _metadata(root)
    rows, problems = unique_rows(_rows(table), "image_id", "dx", table.name)
    files, repeated = _image_files(root)
    splits = _given_splits(root / "splits.csv")
    samples = []
    for image_id, row in rows.items():
        fault = _row_fault(row, image_id in files)
        if fault:
            problems.append(Problem(image_id, fault))
        else:
            samples.append(_sample(row, files[image_id], splits.get(image_id, "")))
    problems += repeated
    named = {problem.where for problem in problems}
    problems += [Problem(str(files[i]), "image without a label") for i in files if i not in rows and i not in named]
    if not samples:
        raise InputError(f"{root} holds no labelled image: {len(rows)} rows and {len(files)} images, none in common")
    return Dataset("ham10000", tuple(samples), tuple(problems), LICENCE)


def _folder(location: str) -> Path:
    if not location:
        raise InputError(f"ham10000 needs its folder, ham10000:PATH; {_GET_IT}")
    root = Path(location).expanduser()
    if not root.is_dir():
        raise InputError(f"there is no folder {root}; {_GET_IT}")
    return root


def _metadata(root: Path) -> Path:
    for name in METADATA:
        if (root / name).is_file():
            return root / name
    raise InputError(f"{root} holds no {METADATA[0]}: name the folder with the official metadata; {_GET_IT}")


def _rows(table: Path) -> list[dict[str, str]]:
    rows = read_table(table)
    if not rows:
        raise InputError(f"{table} has no row below its header: one for each image is needed; {_GET_IT}")
    missing = {"lesion_id", "image_id", "dx"} - rows[0].keys()
    if missing:
        raise InputError(f"{table} has no column {', '.join(sorted(missing))}: found {', '.join(rows[0])}")
    return rows


def _image_files(root: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Image files by their name without suffix, and the files whose name was met before."""
    files: dict[str, Path] = {}
    repeated: list[Problem] = []
    for folder in IMAGE_FOLDERS:
        if not (root / folder).is_dir():
            continue
        for path in sorted(path for path in (root / folder).iterdir() if is_image_name(path)):
            if path.stem in files:
                repeated.append(Problem(str(path), f"same name as {files[path.stem]}, left out"))
            else:
                files[path.stem] = path
    return files, repeated


def _given_splits(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    rows = read_table(path)
    if rows and not {"image_id", "split"} <= rows[0].keys():
        raise InputError(f"{path} must have the columns image_id and split: found {', '.join(rows[0])}")
    return {row["image_id"]: split_name(row["split"], f"{path}, {row['image_id']}") for row in rows}


def _row_fault(row: Mapping[str, str], has_image: bool) -> str | None:
    if row["dx"].lower() not in HAM10000_CLASSES:
        return f"diagnosis {row['dx']!r} is none of {', '.join(HAM10000_CLASSES)}"
    return None if has_image else "label without an image"


def _sample(row: Mapping[str, str], path: Path, split: str) -> Sample:
    metadata = {name: row[name] for name in _KEPT if row.get(name)}
    return Sample(row["image_id"], path, row["dx"].lower(), row["lesion_id"] or row["image_id"], split, metadata)
