"""Latency of the npm package's models in a browser, through the package's own code, one thread."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from melanoma_edge.artifact import Artifact, read_json, run_stage, write_json
from melanoma_edge.bench import browser, latency
from melanoma_edge.bench.document import BrowserReport, BrowserRow
from melanoma_edge.bench.machine import machine
from melanoma_edge.errors import InputError
from melanoma_edge.formats import named
from melanoma_edge.options import AUTO, NONE
from melanoma_edge.progress import Progress
from melanoma_edge.targets import _npm

PAGE, TIMES = "timing.html", "browser.json"
FOLDERS = {"litert": "wasm", "onnxruntime": "dist"}  # of a runtime's own files in its npm package
PLACES = ("node_modules", "web/node_modules")  # of the current folder: an app's, and this repository's


@dataclass(frozen=True)
class Stand:
    """A browser, and the folder of npm packages with the runtimes."""

    program: Path
    modules: Path


def stand(wanted: str, modules: str | None) -> Stand | str:
    """What there is to time with, or one sentence on what is missing.

    wanted, modules: of `--browser` and `--node-modules`. Raises InputError when a browser was asked for by its path and
    something is missing, and for a folder that lacks the runtimes.
    """
    program = browser.find(wanted)
    if program is None:
        asked = wanted == NONE
        return "it was not asked for" if asked else "no Chromium was found: install one, or name it with --browser"
    folders = [Path(place) for place in ([modules] if modules else PLACES)]
    lacking = {folder: _lacking(folder) for folder in folders}
    for folder, why in lacking.items():
        if why is None:
            return Stand(program, folder)
    first = str(lacking[folders[0]])
    if modules or wanted != AUTO:
        raise InputError(first)
    return first


def run(
    work: Path, where: Stand, artifacts: Sequence[Artifact], size: int, runs: int, progress: Progress
) -> BrowserReport:
    """What `time` gives, or gave in an earlier run for the same files, browser and machine."""

    def make(folder: Path) -> None:
        progress("timing in a browser", 0, 1)
        write_json(folder / TIMES, time(where, artifacts, size, runs))
        progress("timing in a browser", 1, 1)

    stage = run_stage(
        work / "browser",
        make,
        inputs={**{a.path.name: a.sha256 for a in artifacts}, "parts": _npm.fingerprint()},
        code=__name__,
        options={"runs": runs, "browser": browser.version(where.program), "machine": machine()},
    )
    return read_json(stage.folder / TIMES, BrowserReport)


def time(where: Stand, artifacts: Sequence[Artifact], size: int, runs: int) -> BrowserReport:
    """Milliseconds of each file by turns in one page.

    artifacts: the preferred first; rows come the fastest first, and one comes before a preferred one only where it is
    faster beyond doubt. size: side of the network's input. Raises EdgeError when the browser fails.
    """
    known, files = _npm.runtimes(), {a.path.name: a for a in artifacts}
    models = [
        {"file": name, "runtime": named(a.format).runtime, "precision": a.precision, "heatMap": False}
        for name, a in files.items()
    ]
    runtimes = {key: {**known[key], "folder": folder} for key, folder in FOLDERS.items()}
    asked = {"models": models, "size": size, "runs": runs, "runtimes": runtimes}
    site: dict[str, bytes | Path] = {
        PAGE: _npm.file(PAGE),
        "told.json": json.dumps(asked).encode(),
        "modules": where.modules,
        **{f"models/{name}": a.path for name, a in files.items()},
        **{place: data for place, data in _npm.compiled().items() if place.startswith("dist/")},
    }
    answer = browser.ask(where.program, site, PAGE)
    taken = {name: np.asarray(np.rint(np.array(answer["milliseconds"][name]) * 1e6), np.int64) for name in files}
    floats = {a.format: name for name, a in files.items() if a.precision == "float32"}
    rows = tuple(_row(name, taken, floats[files[name].format]) for name in fastest_first(taken))
    return BrowserReport(browser.version(where.program), answer["integerDot"], rows)


def fastest_first(taken: Mapping[str, latency.Nanoseconds]) -> list[str]:
    """Names by latency. taken: `[runs]` by name, paired by round, the preferred first; another one goes before it where
    the 95 % interval of their ratio lies below 1."""
    order: list[str] = []
    for name, nanoseconds in taken.items():
        at = len(order)
        while at and latency.ratio(nanoseconds, taken[order[at - 1]]).high < 1:
            at -= 1
        order.insert(at, name)
    return order


def _row(name: str, taken: Mapping[str, latency.Nanoseconds], twin: str) -> BrowserRow:
    """twin: the float32 file in the same runtime."""
    figures = latency.summarize(taken[name], 1)
    return BrowserRow(
        name=name,
        p50=figures.p50,
        p90=figures.p90,
        p99=figures.p99,
        runs=figures.runs,
        threads=figures.threads,
        ratio=latency.ratio(taken[name], taken[twin]),
    )


def _lacking(modules: Path) -> str | None:
    """What a folder of npm packages lacks, None when both runtimes lie there in the versions that were tested."""
    wanted = {entry["package"]: entry["version"] for entry in _npm.runtimes().values()}
    installed = {name: _version(modules / name / "package.json") for name in wanted}
    if installed == wanted:
        return None
    asked = " ".join(f"{name}@{version}" for name, version in wanted.items())
    there = ", ".join(f"{name} {version}" for name, version in installed.items() if version) or "neither"
    return f"{modules} holds {there} of the runtimes: npm install {asked}"


def _version(package: Path) -> str | None:
    if not package.is_file():
        return None
    try:
        return str(json.loads(package.read_text())["version"])
    except (KeyError, ValueError):
        return None
