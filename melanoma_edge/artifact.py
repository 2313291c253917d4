"""Files with a provenance: atomic writes, sha256, manifests, and stages that run only when something changed."""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import msgspec

import melanoma_edge
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.source_hash import source_hash

MANIFEST = "manifest.json"
CHECKPOINT = "model.safetensors"  # a network of ours as it was trained
HEAT_MAP = "heat_map"  # the second output of a model file that was built with heat maps

T = TypeVar("T")


@dataclass(frozen=True)
class Artifact:
    """One model file."""

    path: Path
    sha256: str
    format: str  # a name in `formats`
    precision: str  # "float32" or "int8"


@dataclass(frozen=True)
class Output:
    """A file as a stage wrote it."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """How a stage was made, which manifest.json says beside its files. See `run_stage` for inputs, options and code.

    key: sha256 of all that decides the result. code: sha256. versions: by package. outputs: by path within the folder.
    """

    key: str
    stage: str
    code: str
    inputs: Mapping[str, str]
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    outputs: Mapping[str, Output]
    seconds: float


@dataclass(frozen=True)
class Stage:
    """A finished stage: a folder of files beside its manifest."""

    folder: Path
    manifest: Manifest
    reused: bool

    def sha256(self, file: str) -> str:
        """sha256 of `file` as the stage wrote it."""
        return self.manifest.outputs[file].sha256


def cache_folder() -> Path:
    """Where downloaded and rendered files are kept: below $XDG_CACHE_HOME, or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "melanoma-edge"


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """Hex sha256 of a JSON-able value, independent of key order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write `data` so that `path` holds either its old content or all of the new, whenever the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as partial:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)


def builtins(document: Any) -> Any:
    """A document of dataclasses as the dicts, tuples and plain values that JSON has. Raises TypeError for others."""
    return msgspec.to_builtins(document, enc_hook=_base)


def json_text(document: Any) -> str:
    """Indented JSON of `builtins`; raises ValueError for NaN and infinity, which are not JSON."""
    return json.dumps(document, indent=2, allow_nan=False, default=builtins) + "\n"


def write_json(path: Path, value: Any) -> None:
    """`write_atomic` of `json_text`."""
    write_atomic(path, json_text(value))


def read_json(path: Path, kind: type[T]) -> T:
    """A JSON file as a `kind`: a dataclass, whose fields are checked, or a built-in type.

    Raises InputError when there is no such file, or it does not hold one.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path} is missing: build again") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not what melanoma-edge wrote ({error}): build again") from None


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a scratch path beside `path` that takes its place when the block ends well and is removed when it does not.

    Raises OSError on a full disk or a place that cannot be written, which the command line explains.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as f:
            os.fsync(f.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[Path]:
    """Hold `folder` for one process by its lock file, which is yielded. Raises InputError when another one holds it."""
    path = folder / ".lock"
    with _held(path) as lock:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield path


def _held(path: Path) -> TextIO:
    """The lock file, open and locked. Whoever held it may remove it, so the one that was locked must still stand."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as opened:
            lock = opened.enter_context(path.open("a+"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                owner = lock.read().strip() or "unknown"
                raise InputError(
                    f"{path.parent} is in use by process {owner}: wait for it, or choose another --output"
                ) from None
            if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                opened.pop_all()
                return lock


def run_stage(
    folder: Path,
    make: Callable[[Path], None],
    *,
    inputs: Mapping[str, str],
    options: Mapping[str, Any],
    code: str,
    tools: Sequence[str] = (),
    resumes: bool = False,
) -> Stage:
    """Run `make(scratch)` and publish what it wrote as `folder`, unless an equal run stands there already.

    inputs: name to sha256 of every file the stage reads. options: every value that changes the result. code: name of
    the module that `make` is written in; what it does changes with the source of any module that it reaches. tools:
    names of the installed packages whose version changes the result. resumes: a `make` that was interrupted finds its
    scratch folder again as long as all of these are the same; any other leaves nothing. Bad input (EdgeError) always
    leaves nothing.
    """
    versions = {name: importlib.metadata.version(name) for name in sorted(tools)}
    versions["melanoma-edge"] = melanoma_edge.__version__
    chosen = json.loads(json.dumps(dict(options), default=_plain))
    source = source_hash(code)
    recipe = {"stage": folder.name, "code": source, "inputs": dict(inputs), "options": chosen, "versions": versions}
    key = sha256_json(recipe)
    done = _finished(folder, key)
    if done is not None:
        return done
    started = time.monotonic()
    with _scratch(folder.with_name(f"{folder.name}.partial"), key, resumes) as scratch:
        make(scratch)
    (scratch / ".key").unlink()
    outputs = {
        str(path.relative_to(scratch)): Output(sha256_file(path), path.stat().st_size)
        for path in sorted(scratch.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest(
        key=key,
        stage=folder.name,
        code=source,
        inputs=dict(inputs),
        options=chosen,
        versions=versions,
        outputs=outputs,
        seconds=round(time.monotonic() - started, 2),
    )
    write_json(scratch / MANIFEST, manifest)
    shutil.rmtree(folder, ignore_errors=True)
    scratch.replace(folder)
    return Stage(folder, manifest, reused=False)


def _plain(value: Any) -> Any:
    """What JSON has for a dataclass, and text for everything else that it cannot hold."""
    return builtins(value) if is_dataclass(value) else str(value)


def _base(value: Any) -> str | int | float:
    """The plain value of a subclass, such as numpy's float64 and torch's version."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"JSON has no {type(value).__name__}")


def _finished(folder: Path, key: str) -> Stage | None:
    """The stage in `folder` if it was made by the same recipe and every byte is still there."""
    try:
        manifest = read_json(folder / MANIFEST, Manifest)
    except InputError:  # none, or what a power cut left of one
        return None
    if manifest.key != key:
        return None
    for name, output in manifest.outputs.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != output.bytes or sha256_file(path) != output.sha256:
            return None
    return Stage(folder, manifest, reused=True)


@contextlib.contextmanager
def _scratch(scratch: Path, key: str, resumes: bool) -> Iterator[Path]:
    """A folder to work in: the one that an interrupted equal run left when the stage `resumes`, else an empty one."""
    marker = scratch / ".key"
    if scratch.exists() and not (resumes and marker.is_file() and marker.read_text() == key):
        shutil.rmtree(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    marker.write_text(key)
    try:
        yield scratch
    except BaseException as error:
        if not resumes or isinstance(error, EdgeError):
            shutil.rmtree(scratch)
        raise
