import hashlib
import io
import json
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from melanoma_edge.data import download as source
from melanoma_edge.data.sources import ham10000
from melanoma_edge.errors import InputError

TABLE = (
    b"lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    b"L0,ISIC_0,mel,histo,50,male,back\nL1,ISIC_1,nv,histo,50,male,back\n"
)


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


class Dataverse:
    """A tiny Dataverse on 127.0.0.1. `files` are its bytes by id; `cut` ends the next transfer of an id early."""

    def __init__(self, images: list[bytes]) -> None:
        self.files = {
            1: zipped({"ISIC_0.jpg": images[0], "__MACOSX/._ISIC_0.jpg": b"x", "readme.txt": b"x"}),
            2: zipped({"part_2/ISIC_1.jpg": images[1]}),
            3: TABLE,
        }
        self.md5 = {key: hashlib.md5(content).hexdigest() for key, content in self.files.items()}
        self.cut: dict[int, int] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.listing: bytes | None = None
        self.resumes = True

    def answer(self, path: str) -> bytes | None:
        if path.startswith("/api/datasets/:persistentId/?persistentId=doi%3A10.7910%2FDVN%2FDBW86T"):
            return (
                self.listing
                or json.dumps({"status": "OK", "data": {"latestVersion": {"files": self._entries()}}}).encode()
            )
        found = re.fullmatch(r"/api/access/datafile/(\d)(\?format=original)?", path)
        return self.files.get(int(found[1])) if found else None

    def _entries(self) -> list[dict]:
        names = {1: "HAM10000_images_part_1.zip", 2: "HAM10000_images_part_2.zip", 3: "HAM10000_metadata.tab"}
        entries = []
        for key, name in names.items():
            entry = {"id": key, "filename": name, "filesize": len(self.files[key]), "md5": self.md5[key]}
            if key == 3:  # an ingested table: the stated size and MD5 are of neither file the server sends
                entry |= {
                    "filesize": 7,
                    "md5": "0" * 32,
                    "originalFileFormat": "text/csv",
                    "originalFileSize": len(TABLE),
                }
            entries.append({"label": name, "dataFile": entry})
        return [
            *entries,
            {"label": "other.zip", "dataFile": {"id": 9, "filename": "other.zip", "filesize": 1, "md5": "1"}},
        ]


def handler(dataverse: Dataverse) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, wanted = dataverse.answer(self.path), self.headers.get("Range")
            dataverse.asked.append((self.path, wanted))
            if content is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and dataverse.resumes else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            key = int(self.path.split("/")[-1][0]) if "datafile" in self.path else 0
            self.wfile.write(content[start : dataverse.cut.pop(key, len(content))])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def dataverse(tmp_path, draw):
    images = [draw(tmp_path / f"{i}.jpg", i).read_bytes() for i in range(2)]
    return Dataverse(images)


@pytest.fixture
def base(dataverse):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(dataverse))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_arrives_is_the_official_layout(base, dataverse, tmp_path):
    calls = []
    source.download("ham10000", tmp_path / "ham", base=base, progress=lambda *facts: calls.append(facts[0]))
    assert sorted(p.relative_to(tmp_path / "ham").as_posix() for p in (tmp_path / "ham").rglob("*")) == [
        "HAM10000_images_part_1",
        "HAM10000_images_part_1/ISIC_0.jpg",
        "HAM10000_images_part_2",
        "HAM10000_images_part_2/ISIC_1.jpg",
        "HAM10000_metadata.csv",
    ]
    found = ham10000.load(str(tmp_path / "ham"))
    assert [s.id for s in found.samples] == ["ISIC_0", "ISIC_1"]
    assert found.problems == ()
    assert "downloading HAM10000_images_part_1.zip" in calls
    asked = len(dataverse.asked)
    source.download("ham10000", tmp_path / "ham", base=base)
    assert len(dataverse.asked) == asked


@pytest.mark.parametrize("resumes", [True, False])
def test_a_transfer_that_breaks_off_goes_on(base, dataverse, tmp_path, resumes):
    dataverse.cut[2], dataverse.resumes = 50, resumes
    with pytest.raises(InputError, match=r"HAM10000_images_part_2\.zip broke off .*run again"):
        source.download("ham10000", tmp_path / "ham", base=base)
    assert not (tmp_path / "ham" / "HAM10000_images_part_2").exists()
    source.download("ham10000", tmp_path / "ham", base=base)
    assert ("/api/access/datafile/2", "bytes=50-") in dataverse.asked
    assert sum(path.endswith("/1") for path, _ in dataverse.asked) == 1
    assert len(ham10000.load(str(tmp_path / "ham")).samples) == 2


def test_wrong_bytes_are_refused_and_not_kept(base, dataverse, tmp_path):
    dataverse.md5[1] = "f" * 32
    with pytest.raises(InputError, match=f"arrived with MD5 .*the server states {'f' * 32}"):
        source.download("ham10000", tmp_path / "ham", base=base)
    assert list((tmp_path / "ham").iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "a/../../evil.jpg", "..\\evil.jpg"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(base, dataverse, tmp_path, name):
    dataverse.files[1] = zipped({"ISIC_0.jpg": b"x", name: b"x"})
    dataverse.md5[1] = hashlib.md5(dataverse.files[1]).hexdigest()
    with pytest.raises(InputError, match="leads out of its folder"):
        source.download("ham10000", tmp_path / "ham", base=base)
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path / "ham" / "HAM10000_images_part_1").exists()


def test_what_is_no_archive_or_no_table_is_refused(base, dataverse, tmp_path):
    dataverse.files[1] = b"<html>sorry</html>"
    dataverse.md5[1] = hashlib.md5(dataverse.files[1]).hexdigest()
    with pytest.raises(InputError, match="cannot be unpacked"):
        source.download("ham10000", tmp_path / "a", base=base)
    assert not (tmp_path / "a" / "HAM10000_images_part_1").exists()


def test_metadata_with_other_columns_is_refused(base, dataverse, tmp_path):
    dataverse.files[3] = TABLE.replace(b"image_id", b"pictures")
    with pytest.raises(InputError, match=r"metadata that arrived has the columns .*pictures"):
        source.download("ham10000", tmp_path / "ham", base=base)
    assert not (tmp_path / "ham" / "HAM10000_metadata.csv").exists()


@pytest.mark.parametrize("listing", [b"<html>", b"{}", b'{"data": {"latestVersion": {"files": [{}]}}}'])
def test_a_server_that_answers_with_something_else_is_named(base, dataverse, tmp_path, listing):
    dataverse.listing = listing
    with pytest.raises(InputError, match=r"something else than a file list .*by hand"):
        source.download("ham10000", tmp_path / "ham", base=base)
    assert not (tmp_path / "ham").exists()


def test_a_listing_without_the_files_is_named(base, dataverse, tmp_path):
    dataverse.listing = b'{"data": {"latestVersion": {"files": []}}}'
    with pytest.raises(InputError, match="lists no HAM10000_images_part_1"):
        source.download("ham10000", tmp_path / "ham", base=base)


def test_offline_is_one_line_that_says_where_to_get_it_by_hand(tmp_path):
    with pytest.raises(
        InputError, match=r"cannot reach http://127\.0\.0\.1:9 .*by hand from https://doi\.org/10\.7910"
    ):
        source.download("ham10000", tmp_path / "ham", base="http://127.0.0.1:9")
    assert not (tmp_path / "ham").exists()


def test_an_unknown_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot download 'isic': known is ham10000"):
        source.download("isic", tmp_path)
