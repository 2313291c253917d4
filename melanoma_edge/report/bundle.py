"""The folder that ships. Its manifest stands only while every file it lists does: no manifest, no bundle."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import melanoma_edge
from melanoma_edge.artifact import MANIFEST, sha256_file, write_atomic, write_json
from melanoma_edge.errors import InputError

SCHEMA_VERSION = 1
GENERATOR = f"melanoma-edge {melanoma_edge.__version__}"
WORK = ".work"  # the stages' folder inside an output folder
SCRATCH = ".publish"
GRAPH = "reference/model.onnx"
INT8_GRAPH = "reference/model_int8.onnx"  # what `verify` holds a .tflite against where there is no INT8 ONNX file
MARKS = (WORK, SCRATCH)
SIGNED = (MANIFEST, "report.json")  # JSON documents that name their generator
INVISIBLE = frozenset({".lock"})


def check_output(output: Path) -> None:
    """Accept a new or empty folder, or one that an earlier build wrote.

    Raises InputError for a file in its place, and for a folder of foreign files.
    """
    if not output.exists():
        return
    if not output.is_dir():
        raise InputError(f"{output} is a file: name a folder for the bundle")
    found = sorted(p.name for p in output.iterdir() if p.name not in INVISIBLE)
    if not found or any(mark in found for mark in MARKS) or any(_is_ours(output / name) for name in SIGNED):
        return
    shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    raise InputError(
        f"{output} holds files that melanoma-edge did not write ({shown}): name a new or empty folder, "
        "or one of an earlier build"
    )


def publish(
    output: Path, files: Mapping[str, Path], documents: Mapping[str, str], provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """Make `output` a bundle of exactly these files, in place of the bundle that stood there, and return its manifest.

    files: relative name to the file it is copied from. documents: relative name to text. provenance: what the manifest
    says besides; its "files" maps a relative name to how that file was made. Everything is copied and hashed in a
    hidden folder first; then the old manifest goes, the files take their places and the new manifest comes last.
    A process killed at any moment leaves the old bundle, no bundle, or the new one, and the next call cleans up.

    Raises InputError for an output folder that is not ours (`check_output`).
    """
    check_output(output)
    names = [_inside(output, name) for name in (*files, *documents)]
    known = _listed(output)
    scratch = _assemble(output, files, documents, provenance)
    _replace(output, known, names)
    (scratch / MANIFEST).replace(output / MANIFEST)
    shutil.rmtree(output / SCRATCH)
    return dict(json.loads((output / MANIFEST).read_text()))


def amend(output: Path, documents: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Replace some documents of a bundle and some entries of its manifest, and return that; every other file stays.

    Raises InputError as `verify_bundle` does.
    """
    manifest = verify_bundle(output)
    files = {name: output / name for name in manifest["files"] if name not in documents}
    kept = {key: value for key, value in manifest.items() if key not in ("schema_version", "generator")}
    how = {name: facts for name, facts in manifest["files"].items() if name in files}
    return publish(output, files, documents, {**kept, **changes, "files": how})


def withhold(output: Path, documents: Mapping[str, str]) -> None:
    """Leave `documents` (the report) in `output` and nothing that could be shipped: the gates failed.

    What an earlier build shipped there is removed, its manifest first. Raises InputError as `publish` does.
    """
    check_output(output)
    names = [_inside(output, name) for name in documents]
    known = _listed(output)
    _assemble(output, {}, documents, {})
    _replace(output, known, names)
    shutil.rmtree(output / SCRATCH)


def verify_bundle(folder: Path) -> dict[str, Any]:
    """The bundle's manifest, after comparing every file with it.

    Raises InputError when there is no manifest of ours, and naming the file that is missing or differs.
    """
    manifest = _read(folder / MANIFEST)
    if manifest is None:
        withheld = " (a gate failed there: its report.html says which)" if _is_ours(folder / "report.json") else ""
        raise InputError(f"{folder} holds no bundle{withheld}: name a folder that `melanoma-edge build` finished")
    if not _is_ours(folder / MANIFEST) or not isinstance(manifest.get("files"), dict):
        raise InputError(f"{folder / MANIFEST} was not written by melanoma-edge: build again")
    for name, facts in manifest["files"].items():
        path = folder / _inside(folder, name)
        if not path.is_file():
            raise InputError(f"{folder} is incomplete: {name} is missing; build again")
        expected = facts.get("sha256") if isinstance(facts, dict) else None
        if (found := sha256_file(path)) != expected:
            raise InputError(
                f"{path} is not the file that was built: its sha256 is {found}, the manifest says {expected}; "
                "build again, or restore the file"
            )
    return manifest


def _assemble(
    output: Path, files: Mapping[str, Path], documents: Mapping[str, str], provenance: Mapping[str, Any]
) -> Path:
    """Write the whole bundle, manifest included, to a hidden folder and return it. On an error nothing of it stays."""
    scratch = output / SCRATCH / "new"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for name, source in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, scratch / name)
        for name, text in documents.items():
            write_atomic(scratch / name, text)
        how = provenance.get("files", {})
        listed = {name: {**_facts(scratch / name), **how.get(name, {})} for name in sorted((*files, *documents))}
        manifest = {"schema_version": SCHEMA_VERSION, "generator": GENERATOR, **provenance, "files": listed}
        write_json(scratch / MANIFEST, manifest)
    except (OSError, ValueError):
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return scratch


def _facts(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def _listed(output: Path) -> set[str]:
    """Relative names of what earlier runs shipped or, when they were killed, may have shipped."""
    listings = (_read(output / MANIFEST), _read(output / SCRATCH / "listed.json"))
    return {_inside(output, name) for listing in listings for name in (listing or {}).get("files", {})}


def _replace(output: Path, known: set[str], names: Sequence[str]) -> None:
    """Take back the earlier bundle of the files `known`, its manifest first, and move `names` into their places.

    What may stand in `output` from now on is written down before, so the next run finds a killed run's leftovers.
    """
    write_json(output / SCRATCH / "listed.json", {"files": dict.fromkeys(sorted(known.union(names)))})
    (output / MANIFEST).unlink(missing_ok=True)
    for name in sorted(known.difference(names)):
        (output / name).unlink(missing_ok=True)
        for folder in (output / name).relative_to(output).parents[:-1]:
            if (output / folder).is_dir() and not any((output / folder).iterdir()):
                (output / folder).rmdir()
    for name in names:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / SCRATCH / "new" / name).replace(output / name)


def _inside(folder: Path, name: str) -> str:
    """`name`, if it is a relative path that stays inside `folder`. Raises InputError otherwise."""
    pure = PurePosixPath(name)
    stays = (folder / name).resolve().is_relative_to(folder.resolve())
    if not name or pure.is_absolute() or ".." in pure.parts or not stays or (folder / name).is_dir():
        raise InputError(f"{name!r} is not a file inside {folder}: a bundle lists relative file names only")
    return name


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON object from disk, or None when there is no such thing there."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _is_ours(path: Path) -> bool:
    return str((_read(path) or {}).get("generator", "")).startswith("melanoma-edge")
