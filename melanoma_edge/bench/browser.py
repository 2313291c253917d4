"""A Chromium without a window opens one page of ours, and the page tells what it found: no driver is needed.

The page is served on the loopback interface, from which it posts its answer back.
"""

import contextlib
import functools
import http.server
import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.options import AUTO, NONE

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TIMEOUT = 600  # seconds
LONGEST = 1 << 24  # bytes of an answer
# Without these Chromium looks for updates, draws on a GPU, and asks for a first-run page.
FLAGS = (
    "--headless",
    "--js-flags=--no-liftoff",  # wasm is optimised before it runs, not at some time while it is timed
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}

Site = Mapping[str, bytes | Path]


def find(wanted: str) -> Path | None:
    """The program of `--browser`: the first of PROGRAMS for "auto", None for "none" or when there is none of them.

    Raises InputError when a path was asked for that is no program.
    """
    if wanted == NONE:
        return None
    if wanted == AUTO:
        named = next(filter(None, map(shutil.which, PROGRAMS)), None)
        return Path(named) if named else None
    program = shutil.which(wanted)
    if program is None:
        raise InputError(f"--browser {wanted} is no program: {AUTO}, {NONE} or the path of a Chromium is accepted")
    return Path(program)


def version(program: Path) -> str:
    """Name and version, such as `Chromium 156.0.8078.108`. Raises EdgeError when the program does not say."""
    command = [str(program), "--version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EdgeError(f"{program} does not start: {error}") from None
    return " ".join(said.split()[:2])


def ask(program: Path, site: Site, page: str, timeout: float = TIMEOUT) -> Any:
    """The JSON that `page` of the site posts to `/answer`.

    site: by path, bytes or a file, or a folder with everything below it. Raises EdgeError when the browser ends or
    `timeout` seconds pass without an answer, or with what the page posted as `{"error": ...}`.
    """
    answers: queue.Queue[Any] = queue.Queue()
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # its sandbox refuses root
    with TemporaryDirectory() as profile, _serving(site, answers) as url:
        command = [str(program), *FLAGS, *root, f"--user-data-dir={profile}", f"{url}/{page}"]
        with _running(command) as running:
            answer = _wait(answers, running, timeout, program.name)
    if isinstance(answer, dict) and "error" in answer:
        raise EdgeError(f"the page in {program.name} failed: {answer['error']}")
    return answer


def _wait(answers: "queue.Queue[Any]", running: "subprocess.Popen[bytes]", timeout: float, name: str) -> Any:
    for _ in range(int(timeout * 2)):
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=0.5)
        if running.poll() is not None and answers.empty():
            raise EdgeError(f"{name} ended with {running.returncode} before its page answered")
    raise EdgeError(f"{name} gave no answer within {timeout:g} seconds")


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, which ends with the block."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _serving(site: Site, answers: "queue.Queue[Any]") -> Iterator[str]:
    handler = functools.partial(_Handler, site, answers)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, site: Site, answers: "queue.Queue[Any]", *connection: Any) -> None:
        self._site, self._answers = site, answers
        super().__init__(*connection)

    def do_GET(self) -> None:
        """A file of the site."""
        path = self.path.partition("?")[0].lstrip("/")
        data = _file(self._site, path)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Type", TYPES.get(Path(path).suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def do_POST(self) -> None:
        """The page's answer."""
        length = min(int(self.headers.get("Content-Length", 0)), LONGEST)
        self._answers.put(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _file(site: Site, path: str) -> bytes | None:
    """The bytes of a path of the site, None where there is nothing."""
    content = site.get(path)
    if content is None:
        folder, _, below = path.partition("/")
        inside = site.get(folder)
        if not isinstance(inside, Path) or not inside.is_dir():
            return None
        content = (inside / below).resolve()
        if not content.is_relative_to(inside.resolve()):
            return None
    if isinstance(content, bytes):
        return content
    return content.read_bytes() if content.is_file() else None
