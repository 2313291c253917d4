"""A real Chromium and the npm package of a trained network, unpacked, with both runtimes beside it."""

import functools
import http.server
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from melanoma_edge.artifact import Artifact, sha256_file

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "web"
MODULES = SOURCES / "node_modules"
GET = "run `make browser`, which installs Debian's chromium and the Node packages of web/"
# Without these Chromium looks for updates, and for a sandbox that root has not.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--enable-precise-memory-info")  # fmt: skip
HARNESS = """<!doctype html><meta charset="utf-8"><title>harness</title><script type="importmap">{"imports": {
"@litertjs/core": "/modules/@litertjs/core/dist/index.js",
"@litertjs/wasm-utils": "/modules/@litertjs/wasm-utils/dist/index.js",
"onnxruntime-web/wasm": "/modules/onnxruntime-web/dist/ort.wasm.min.mjs"}}</script><body>"""


@dataclass(frozen=True)
class Site:
    """A package in a folder of its own, served: harness.html for tests, demo/ for people."""

    folder: Path
    url: str

    @property
    def package(self) -> Path:
        return self.folder / "package"


def node(*command: object, cwd: Path) -> str:
    """Run a command of web/node_modules/.bin, or node itself; fails the test with what it printed."""
    words = [str(word) for word in command]
    program = words[0] if words[0] in ("node", "npm") else str(MODULES / ".bin" / words[0])
    done = subprocess.run([program, *words[1:]], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def modules() -> Path:
    """web/node_modules."""
    if not (MODULES / "onnxruntime-web").is_dir() or not shutil.which("node"):
        pytest.skip(f"Node and the packages of web/ are not installed: {GET}")
    return MODULES


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Playwright's browser object for Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'melanoma-edge[dev]'")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip(f"chromium is not installed: {GET}")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tarball(guard_bundle: Path) -> Path:
    """The npm package in the bundle of the trained network."""
    return next((guard_bundle / "web").glob("*.tgz"))


@pytest.fixture(scope="session")
def site(tarball: Path, modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The unpacked package, its assets with the runtimes' wasm, and its demo page, behind a server on this machine."""
    folder = tmp_path_factory.mktemp("site")
    with tarfile.open(tarball) as tar:
        tar.extractall(folder, filter="data")
    (folder / "modules").symlink_to(modules)
    (folder / "node_modules").symlink_to(modules)  # where the package's own command looks for its peers
    (folder / "harness.html").write_text(HARNESS)
    command = folder / "package" / "bin" / "assets.js"
    for words in (("copy", folder / "assets"), ("demo", folder / "demo"), ("page", folder / "page.html")):
        node("node", command, *words, cwd=folder)
    with serving(folder) as url:
        yield Site(folder, url)


class serving:  # noqa: N801  (a context manager reads as a verb)
    """Serve a folder on the loopback interface, and give the URL."""

    def __init__(self, folder: Path) -> None:
        handler = functools.partial(_Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def harness(chromium: Any, site: Site) -> Iterator[Any]:
    """A page with the package imported as `window.lib` and `load(model)`, which keeps one classifier for each model."""
    page = chromium.new_page()
    page.goto(f"{site.url}/harness.html")
    page.evaluate(
        """async () => {
          window.lib = await import('/package/dist/index.js');
          const kept = new Map();
          window.load = (model) => {
            if (!kept.has(model)) kept.set(model, lib.createClassifier({ assets: '/assets/', model }));
            return kept.get(model);
          };
          window.blob = (base64, type) => new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type });
        }"""
    )
    yield page
    page.close()


@pytest.fixture(scope="session")
def models(guard_bundle: Path) -> dict[str, Artifact]:
    """The bundle's web files by model id."""
    runtimes = {".tflite": "litert", ".onnx": "onnxruntime"}
    found = {}
    for path in sorted((guard_bundle / "web").iterdir()):
        if path.suffix in runtimes:
            precision = path.stem.removeprefix(f"{guard_bundle.name}_")
            name = f"{runtimes[path.suffix]}-{precision}"
            found[name] = Artifact(path, sha256_file(path), path.suffix[1:], precision, ())
    return found
