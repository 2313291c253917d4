"""docs/results/web.md's tables: npm packages in a real browser, one thread. Prints Markdown. Needs `make browser`.

    python benchmarks/web_tables.py artifacts/*/web/*.tgz --runs 50

Latency: every model of a package by turns in one page, of a 600 x 450 JPEG: the network alone, and file to answer.
Cold start: from opening the page to the first answer, in a fresh profile, everything from localhost; the bytes are
those that this page asked for, in brotli at its highest level. `--published` times a network of the shape of Kim et
al.'s published web app instead.
"""

import argparse
import functools
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx_ir as ir
from in_browser import MODULES, chromium, serving, unpack
from PIL import Image, ImageFilter
from torch import nn

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact
from melanoma_edge.bench.browser import AUTO
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.export.emit import emit
from melanoma_edge.export.onnx import export_onnx
from melanoma_edge.targets import _timing

OPTIMISED = "--js-flags=--no-liftoff"  # wasm is optimised before it runs, as in melanoma_edge/bench/browser.py
COLD = 5  # fresh profiles
RUNTIME = ("modules/", "assets/wasm/")  # what of a page's files is the runtime's
TIME = """async ([photograph, runs]) => {
  const lib = await import('/package/dist/index.js');
  const blob = await (await fetch(photograph)).blob();
  const loaded = [];
  for (const { id } of lib.models) loaded.push(await lib.createClassifier({ assets: '/assets/', model: id }));
  const network = loaded.map(() => []);
  const total = loaded.map(() => []);
  for (const classifier of loaded) for (let i = 0; i < 10; i++) await classifier.classify(blob);
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < loaded.length; i++) {
      await loaded[i].classify(blob);
      const { timings } = await loaded[i].classify(blob);
      network[i].push(timings.network);
      total[i].push(timings.total);
    }
  }
  return lib.models.map(({ id, bytes }, i) => ({ id, bytes, network: network[i], total: total[i] }));
}"""
FIRST = """async ([photograph, model]) => {
  const lib = await import('/package/dist/index.js');
  const blob = await (await fetch(photograph)).blob();
  const classifier = await lib.createClassifier({ assets: '/assets/', model });
  await classifier.classify(blob);
  return performance.now();
}"""
BROTLI = "console.log(require('zlib').brotliCompressSync(require('fs').readFileSync(0)).length)"
# 1,007,234 parameters and 22 GMAC at 150 pixels, as published; widths and layers that give them exactly
WIDTH, DENSE, SIDE, DILATIONS = 76, 128, 150, (1, 1, 2, 4, 8, 16, 8, 4, 2, 1) * 2


def photograph(folder: Path) -> Path:
    """A JPEG of HAM10000's size; smooth noise."""
    noise = np.random.default_rng(0).integers(0, 256, (450, 600, 3), np.uint8)
    path = folder / "photograph.jpg"
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3)).save(path, quality=90)
    return path


def latency(url: str, runs: int) -> list[str]:
    """Rows of model, MB, milliseconds of the network, its 90th percentile, ratio to float32, from file to answer."""
    with chromium(OPTIMISED) as browser:
        page = browser.new_page()
        page.goto(f"{url}/harness.html")
        models = page.evaluate(TIME, ["/photograph.jpg", runs])
    medians = {row["id"]: float(np.median(row["network"])) for row in models}
    floats = {name.split("-")[0]: value for name, value in medians.items() if name.endswith("-float32")}
    rows = []
    for row in models:
        median, base = medians[row["id"]], floats.get(row["id"].split("-")[0])
        ratio = f"{median / base:.2f}" if base else ""
        p90, total = float(np.percentile(row["network"], 90)), float(np.median(row["total"]))
        rows.append(f"| {row['id']} | {row['bytes'] / 1e6:.2f} | {median:.1f} | {p90:.1f} | {ratio} | {total:.1f} |")
    return rows


def cold(url: str, folder: Path, model: str) -> str:
    """A row of model, milliseconds to the first answer, and bytes in brotli without and with the runtime."""
    milliseconds, asked = [], set()
    with chromium() as browser:
        for _ in range(COLD):
            context = browser.new_context()
            page = context.new_page()
            page.on("response", lambda response: asked.add(response.url.removeprefix(f"{url}/")))
            page.goto(f"{url}/harness.html")
            milliseconds.append(page.evaluate(FIRST, ["/photograph.jpg", model]))
            context.close()
    files = {path: folder / path for path in asked - {"photograph.jpg", "harness.html"}}
    sizes = {path: brotli(file.read_bytes()) for path, file in files.items() if file.is_file()}
    without_runtime = sum(size for path, size in sizes.items() if not path.startswith(RUNTIME))
    megabytes = f"{without_runtime / 1e6:.2f} | {sum(sizes.values()) / 1e6:.2f}"
    return f"| {model} | {np.median(milliseconds):.0f} | {megabytes} |"


@functools.cache
def brotli(data: bytes) -> int:
    """Bytes of `data` in brotli, which Node has."""
    return int(subprocess.run(["node", "-e", BROTLI], input=data, capture_output=True, check=True).stdout)


def published(runs: int) -> Iterator[str]:
    """Rows of the published app's shape in both runtimes, float32, the network alone."""
    network = nn.Sequential(
        *[
            layer
            for i, dilation in enumerate(DILATIONS)
            for layer in (nn.Conv2d(3 if i == 0 else WIDTH, WIDTH, 3, padding=dilation, dilation=dilation), nn.ReLU())
        ],
        *(nn.Conv2d(WIDTH, WIDTH, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        *(nn.Linear(WIDTH, DENSE), nn.ReLU(), nn.Linear(DENSE, 2)),
    )
    count = sum(parameter.numel() for parameter in network.parameters())
    where = _timing.stand(AUTO, str(MODULES))
    if isinstance(where, str):
        raise SystemExit(where)
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "published.onnx"
        export_onnx(network, SIDE, path)
        model = ir.load(path)
        passes.apply(model, "clean")
        emit(model, path.with_suffix(".tflite"), name="published")
        for file in (path, path.with_suffix(".tflite")):
            formats.load(file, Preprocessing(SIDE))
        made = [Artifact(file, "", file.suffix[1:], "float32") for file in (path.with_suffix(".tflite"), path)]
        for row in _timing.time(where, made, SIDE, runs).rows:
            yield f"| {count:,} parameters, {row.name} | {row.p50:.0f} | {row.p90:.0f} |"


def tables(tarballs: Sequence[Path], runs: int) -> Iterator[str]:
    """Lines of both tables, a package at a time."""
    latencies, colds = [], []
    for tarball in tarballs:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            unpack(tarball, folder)
            photograph(folder)
            name = tarball.stem.rpartition("-")[0]
            with serving(folder) as url:
                rows = latency(url, runs)
                latencies += [f"| {name} {row}" for row in rows]
                colds += [f"| {name} {cold(url, folder, row.split(' ')[1])}" for row in rows]
    yield "| package | model | MB | network, ms | p90 | by float32 | file to answer, ms |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    yield from latencies
    yield ""
    yield "| package | model | first answer, cold, ms | brotli MB without runtime | with |"
    yield "| --- | --- | ---: | ---: | ---: |"
    yield from colds


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tarballs", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--published", action="store_true")
    options = parser.parse_args()
    if options.published:
        print("| network | ms, median | p90 |", "| --- | ---: | ---: |", sep="\n")
    for line in published(options.runs) if options.published else tables(options.tarballs, options.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
