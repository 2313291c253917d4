"""A real browser, and an npm package with its runtimes behind a server: for web_tables.py and the tests in tests/web.

Needs `make browser`.
"""

import contextlib
import functools
import http.server
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODULES = Path(__file__).resolve().parents[1] / "web" / "node_modules"
# Without these Chromium looks for updates, and for a sandbox that root has not.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HARNESS = """<!doctype html><meta charset="utf-8"><title>harness</title><script type="importmap">{"imports": {
"@litertjs/core": "/modules/@litertjs/core/dist/index.js",
"@litertjs/wasm-utils": "/modules/@litertjs/wasm-utils/dist/index.js",
"onnxruntime-web/wasm": "/modules/onnxruntime-web/dist/ort.wasm.min.mjs"}}</script><body>"""


@contextlib.contextmanager
def serving(folder: Path, *, isolated: bool = False) -> Iterator[str]:
    """Serve a folder on the loopback interface; the URL. isolated: from other origins, so that wasm may use threads."""
    handler = _Isolated if isolated else _Handler
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Isolated(_Handler):
    def end_headers(self) -> None:
        """With the two headers that cross-origin isolation takes."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


@contextlib.contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """Playwright's browser object for Debian's Chromium, with further flags."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def unpack(tarball: Path, folder: Path) -> None:
    """A package with its peers beside it: package/, assets/ with the wasm files, modules/, harness.html."""
    with tarfile.open(tarball) as tar:
        tar.extractall(folder, filter="data")
    (folder / "modules").symlink_to(MODULES)
    (folder / "node_modules").symlink_to(MODULES)  # where the package's own command looks for its peers
    (folder / "harness.html").write_text(HARNESS)
    copy = ["node", str(folder / "package" / "bin" / "assets.js"), "copy", "assets"]
    subprocess.run(copy, cwd=folder, check=True)
