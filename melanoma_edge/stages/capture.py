"""Limits of a photograph's focus, exposure and place of the lesion, from the validation images."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from melanoma_edge.artifact import run_stage, write_json
from melanoma_edge.cores import usable_cores
from melanoma_edge.data import quality
from melanoma_edge.data.pixels import CHUNK, in_chunks
from melanoma_edge.data.prepared import Images
from melanoma_edge.progress import Progress

FACTS = "capture.json"


def run(work: Path, images: Images, progress: Progress) -> dict[str, Any]:
    """The `capture` block of policy.json: `quality.describe`, with what of the validation images it flags."""
    pixels = images.pixels("val")

    def make(folder: Path) -> None:
        measured: list[quality.Quality] = []
        with ThreadPoolExecutor(usable_cores()) as pool:
            for few in in_chunks(pixels, CHUNK):
                measured += pool.map(quality.measure, few)
                progress("measuring photographs", len(measured), len(pixels))
        within = quality.limits(measured)
        advice = [quality.advice(one, within) for one in measured]
        counts = Counter(code for codes in advice for code in codes)
        flagged = {"images": len(measured), "any": sum(map(bool, advice)), **{c: counts[c] for c in quality.ADVICE}}
        told = {**quality.describe(within), "accepted": quality.ACCEPTED, "flagged_in_validation": flagged}
        write_json(folder / FACTS, told)

    stage = run_stage(
        work / "capture",
        make,
        inputs={"val.npy": images.stage.sha256("val.npy")},
        code=__name__,
        options={"version": quality.VERSION, "accepted": quality.ACCEPTED, "lenient": quality.LENIENT},
    )
    return dict(json.loads((stage.folder / FACTS).read_text()))
