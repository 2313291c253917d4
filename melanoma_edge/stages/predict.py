"""Logits of one model file on the validation and test images: the reference's, and each artifact's."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from melanoma_edge import formats
from melanoma_edge.allocator import freed_memory_kept
from melanoma_edge.artifact import Stage, read_json, run_stage, write_json
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.prepared import EVALUATED, Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.progress import Progress
from melanoma_edge.verify.document import PredictionFacts
from melanoma_edge.verify.predictions import Predictions, concatenate, predict_split, read_csv, write_csv

CSV, FACTS = "predictions.csv", "facts.json"


def run(
    work: Path, name: str, model: Path, sha256: str, images: Images, spec: Preprocessing, progress: Progress
) -> Stage:
    """Leaves predictions.csv and facts.json: runtime, version, device, threads, sha256 of the model, seconds.

    The file runs in the runtime of its suffix; a .safetensors reference runs on the GPU when there is one. Splits run
    side by side where a network takes one thread.
    """
    loaded = formats.load(model, spec)
    how = {"runtime": loaded.runtime, "version": loaded.version, "device": loaded.device}

    def told(task: str, done: int, total: int, detail: str = "") -> None:
        progress(f"{name}: {task}", done, total, detail)

    def answer(split: str) -> Predictions:
        return predict_split(
            formats.load(model, spec),
            images.pixels(split),
            ids=[s.id for s in images.samples(split)],
            labels=images.labels(split),
            split=split,
            task=images.task,
            progress=told,
        )

    def make(folder: Path) -> None:
        started = time.monotonic()
        with freed_memory_kept(), ThreadPoolExecutor(usable_cores() if loaded.threads == 1 else 1) as pool:
            parts = list(pool.map(answer, EVALUATED))
        write_csv(folder / CSV, concatenate(parts))
        seconds = round(time.monotonic() - started, 2)
        facts = PredictionFacts(
            runtime=loaded.runtime,
            version=loaded.version,
            device=loaded.device,
            threads=loaded.threads,
            model=model.name,
            sha256=sha256,
            seconds=seconds,
        )
        write_json(folder / FACTS, facts)

    return run_stage(
        work / "predict" / name,
        make,
        inputs={
            "model": sha256,
            "samples": images.stage.sha256("samples.csv"),
            **{f"{split}.npy": images.stage.sha256(f"{split}.npy") for split in EVALUATED},
        },
        code=__name__,
        options={**how, "mean": spec.mean, "std": spec.std},
    )


def predictions(stage: Stage) -> Predictions:
    """What the stage predicted, both splits."""
    return read_csv(stage.folder / CSV)


def facts(stage: Stage) -> PredictionFacts:
    """How the stage predicted it."""
    return read_json(stage.folder / FACTS, PredictionFacts)
