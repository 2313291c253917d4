"""Time the web target's files in a browser, where there is one: what is fast natively need not be fast there."""

from collections.abc import Sequence
from pathlib import Path

from melanoma_edge.artifact import Artifact, read_json, run_stage, write_json
from melanoma_edge.bench import browser
from melanoma_edge.bench.document import BrowserReport
from melanoma_edge.bench.machine import machine
from melanoma_edge.errors import EdgeError
from melanoma_edge.options import ProofOptions
from melanoma_edge.progress import Progress
from melanoma_edge.targets import web

TARGET = "web"
TIMES = "browser.json"


def run(
    work: Path,
    targets: Sequence[str],
    artifacts: Sequence[Artifact],
    size: int,
    proof: ProofOptions,
    progress: Progress,
) -> BrowserReport | None:
    """The files in a browser, or why they were not timed; None when the web is no target.

    Raises InputError when the browser or runtimes that were asked for are not there, EdgeError when a browser that was
    asked for by its path fails.
    """
    if TARGET not in targets:
        return None
    where = web.stand(proof.browser, proof.node_modules)
    if isinstance(where, str):
        return web.untimed(artifacts, where)

    def make(folder: Path) -> None:
        progress("timing in a browser", 0, 1)
        write_json(folder / TIMES, web.timed(where, artifacts, size, proof.bench_runs))
        progress("timing in a browser", 1, 1)

    try:
        stage = run_stage(
            work / "browser",
            make,
            inputs={**{a.path.name: a.sha256 for a in artifacts}, "parts": web.parts()},
            code=__name__,
            options={"runs": proof.bench_runs, "browser": browser.version(where.program), "machine": machine()},
        )
    except EdgeError as error:
        if proof.browser != browser.AUTO:
            raise
        return web.untimed(artifacts, str(error))
    return read_json(stage.folder / TIMES, BrowserReport)
