"""Latency in a real browser: every model of npm packages, by turns in one page, as a table.

    python benchmarks/in_browser.py artifacts/ham10000_mobilenet_v2/web/*.tgz --runs 100

Needs `make browser`. Prints Markdown. The tests in tests/web use the same server and page.
"""

import argparse
import contextlib
import functools
import http.server
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

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
TIME = """async ([runs]) => {
  const lib = await import('/package/dist/index.js');
  const size = 200;
  const level = (_, i) => (i % 4 === 3 ? 255 : (i * 7919) % 251);
  const pixels = new ImageData(Uint8ClampedArray.from({ length: size * size * 4 }, level), size);
  const loaded = [];
  for (const model of lib.models) {
    loaded.push([model, await lib.createClassifier({ assets: '/assets/', model: model.id })]);
  }
  const taken = loaded.map(() => []);
  for (const [, classifier] of loaded) for (let i = 0; i < 10; i++) await classifier.classify(pixels);
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < loaded.length; i++) {
      await loaded[i][1].classify(pixels);
      taken[i].push((await loaded[i][1].classify(pixels)).timings.network);
    }
  }
  return loaded.map(([model], i) => ({ id: model.id, bytes: model.bytes, taken: taken[i] }));
}"""


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
def chromium() -> Iterator[Any]:
    """Playwright's browser object for Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
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


def timed(tarball: Path, runs: int) -> Sequence[dict[str, Any]]:
    """Rows of id, bytes and milliseconds `taken` `[runs]` of every model of a package."""
    with TemporaryDirectory() as scratch, chromium() as browser:
        unpack(tarball, Path(scratch))
        with serving(Path(scratch)) as url:
            page = browser.new_page()
            page.goto(f"{url}/harness.html")
            return list(page.evaluate(TIME, [runs]))


def main() -> None:
    """Print one table for all packages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tarballs", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    given = parser.parse_args()
    print("| package | model | MB | ms, median | p90 | by float32 of the runtime |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for tarball in given.tarballs:
        rows = timed(tarball, given.runs)
        medians = {row["id"]: float(np.median(row["taken"])) for row in rows}
        for row in rows:
            own, base = medians[row["id"]], medians[row["id"].split("-")[0] + "-float32"]
            p90 = float(np.percentile(row["taken"], 90))
            size = row["bytes"] / 1e6
            print(f"| {tarball.stem} | {row['id']} | {size:.2f} | {own:.2f} | {p90:.2f} | {own / base:.2f} |")


if __name__ == "__main__":
    main()
