"""Fetch HAM10000 from where its authors put it, a Dataverse: checked, resumable, never half unpacked.

API: https://guides.dataverse.org/en/latest/api/dataaccess.html
"""

import hashlib
import http.client
import json
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.images import is_image_name
from melanoma_edge.data.sources.ham10000 import IMAGE_FOLDERS, METADATA
from melanoma_edge.data.table import read_table
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

HARVARD = "https://dataverse.harvard.edu"
DOI = "doi:10.7910/DVN/DBW86T"
ARCHIVES = tuple(name for name in IMAGE_FOLDERS if name.startswith("HAM10000"))
TIMEOUT = 60  # seconds without a byte
BLOCK = 1 << 20  # bytes
MAX_MEMBER = 64 << 20  # bytes of one unpacked image; the real ones are under 1 MB
_BY_HAND = (
    f"Get {' and '.join(f'{name}.zip' for name in ARCHIVES)} and HAM10000_metadata by hand from "
    f"https://doi.org/{DOI.removeprefix('doi:')} and unpack them into one folder"
)


@dataclass(frozen=True)
class RemoteFile:
    """A file of a Dataverse dataset. `md5` is empty where the server states none for the bytes that it will send."""

    name: str
    url: str
    size: int
    md5: str


def download(name: str, folder: Path, *, base: str = HARVARD, progress: Progress = silent) -> None:
    """Fetch the dataset `name` (only `ham10000`) into `folder`, in the layout that its source reads.

    base: address of the Dataverse. What is there already is not fetched again, and a broken transfer goes on where it
    stopped. Raises InputError for another name, without a network, and for bytes that differ from their checksum.
    """
    if name != "ham10000":
        raise InputError(f"cannot download {name!r}: known is ham10000")
    if all((folder / part).is_dir() for part in ARCHIVES) and (folder / METADATA[0]).is_file():
        return
    files = _list_files(base)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ARCHIVES:
        if not (folder / part).is_dir():
            archive = _fetch(_pick(files, part), folder, progress)
            _unpack(archive, folder / part, progress)
            archive.unlink()
    if not (folder / METADATA[0]).is_file():
        table = _fetch(_pick(files, METADATA[1]), folder, progress)
        _publish_table(table, folder / METADATA[0])
        table.unlink()


def _list_files(base: str) -> dict[str, RemoteFile]:
    """The files of the newest version, by their name without suffix."""
    url = f"{base}/api/datasets/:persistentId/?persistentId={urllib.parse.quote(DOI, safe='')}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            entries = json.load(answer)["data"]["latestVersion"]["files"]
        files = [_remote(base, entry["dataFile"]) for entry in entries]
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"cannot reach {base} ({_reason(error)}). {_BY_HAND}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{base} answered with something else than a file list ({error!r}). {_BY_HAND}") from None
    return {Path(file.name).stem: file for file in files}


def _remote(base: str, entry: dict[str, Any]) -> RemoteFile:
    url = f"{base}/api/access/datafile/{int(entry['id'])}"
    if "originalFileFormat" in entry:
        # A table that Dataverse converted: the stated MD5 is that of neither file it sends (IQSS/dataverse issue 9501).
        return RemoteFile(entry["filename"], f"{url}?format=original", int(entry.get("originalFileSize", 0)), "")
    return RemoteFile(entry["filename"], url, int(entry["filesize"]), str(entry["md5"]).lower())


def _pick(files: dict[str, RemoteFile], stem: str) -> RemoteFile:
    if stem not in files:
        raise InputError(f"{DOI} lists no {stem}: found {', '.join(sorted(files))}. {_BY_HAND}")
    return files[stem]


def _fetch(file: RemoteFile, folder: Path, progress: Progress) -> Path:
    """The file in full and with the right checksum, under a hidden name. Goes on from what an earlier run left."""
    partial = folder / f".{Path(file.name).name}.partial"
    size = partial.stat().st_size if partial.exists() else 0
    if not file.size or size != file.size:
        try:
            _transfer(file, partial, size if size < file.size else 0, progress)
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise InputError(f"{file.name} broke off ({_reason(error)}): run again to go on. {_BY_HAND}") from None
    size = partial.stat().st_size
    if file.size and size < file.size:
        raise InputError(f"{file.name} broke off at {size:,} of {file.size:,} bytes: run again to go on")
    with partial.open("rb") as stream:
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    if size != (file.size or size) or md5 != (file.md5 or md5):
        partial.unlink()
        raise InputError(f"{file.name} arrived with MD5 {md5}, the server states {file.md5}: run again")
    return partial


def _transfer(file: RemoteFile, partial: Path, start: int, progress: Progress) -> None:
    """Append to `partial` from byte `start`; a server that does not resume sends everything again."""
    request = urllib.request.Request(file.url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        resumed = answer.status == http.client.PARTIAL_CONTENT
        done = start if resumed else 0
        with partial.open("ab" if resumed else "wb") as stream:
            while block := answer.read(BLOCK):
                stream.write(block)
                done += len(block)
                progress(f"downloading {file.name}", done, max(file.size, done))


def _unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """The images of a zip as a flat folder, which appears only when every one of them is there."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [_safe(member) for member in zipped.infolist() if not member.is_dir()]
            paths = {member: Path(member.filename) for member in members}
            images = [member for member, path in paths.items() if is_image_name(path) and "__MACOSX" not in path.parts]
            for done, member in enumerate(images, start=1):
                with zipped.open(member) as source, (scratch / paths[member].name).open("xb") as target:
                    shutil.copyfileobj(source, target)
                progress(f"unpacking {folder.name}", done, len(images))
        scratch.chmod(0o755)
        scratch.rename(folder)
    except (zipfile.BadZipFile, zlib.error, FileExistsError) as error:
        raise InputError(f"{folder.name}.zip cannot be unpacked: {error}. {_BY_HAND}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _safe(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The member, unless its path leads out of the folder or its size could not be that of an image."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise InputError(f"the archive holds {member.filename!r}, which leads out of its folder: nothing was unpacked")
    if member.file_size > MAX_MEMBER:
        raise InputError(f"the archive holds {member.filename!r} of {member.file_size:,} bytes: nothing was unpacked")
    return member


def _publish_table(fetched: Path, path: Path) -> None:
    """Put the metadata in its place if it is the table that the source will read."""
    columns = set(next(iter(read_table(fetched)), {}))
    if not {"image_id", "lesion_id", "dx"} <= columns:
        fetched.unlink()
        raise InputError(f"the metadata that arrived has the columns {', '.join(sorted(columns))}. {_BY_HAND}")
    write_atomic(path, fetched.read_bytes())


def _reason(error: Exception) -> str:
    """The shortest true description of what a connection died of."""
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__
