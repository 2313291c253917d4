"""Limits of a photograph's focus, exposure and place of the lesion, from the validation images."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from melanoma_edge.artifact import read_json, run_stage, write_json
from melanoma_edge.cores import usable_cores
from melanoma_edge.data import quality
from melanoma_edge.data.pixels import CHUNK, in_chunks
from melanoma_edge.data.prepared import Images
from melanoma_edge.progress import Progress

GUIDE = "capture.json"


def run(work: Path, images: Images, progress: Progress) -> quality.CaptureGuide:
    """The `capture` block of policy.json, by the validation images."""
    pixels = images.pixels("val")

    def make(folder: Path) -> None:
        measured: list[quality.Quality] = []
        with ThreadPoolExecutor(usable_cores()) as pool:
            for few in in_chunks(pixels, CHUNK):
                measured += pool.map(quality.measure, few)
                progress("measuring photographs", len(measured), len(pixels))
        write_json(folder / GUIDE, quality.guide(measured))

    stage = run_stage(
        work / "capture",
        make,
        inputs={"val.npy": images.stage.sha256("val.npy")},
        code=__name__,
        options={"version": quality.VERSION, "accepted": quality.ACCEPTED, "lenient": quality.LENIENT},
    )
    return read_json(stage.folder / GUIDE, quality.CaptureGuide)
