"""A few test images through every file on emulated ARM64, beside what the same call computed on this machine."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, run_stage, sha256_file
from melanoma_edge.bench.machine import processor
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.document import finite
from melanoma_edge.progress import Progress
from melanoma_edge.runtime import arm64
from melanoma_edge.stages.robust import choose
from melanoma_edge.verify.arm64 import TOLERANCE, Answers, Arm64Report, CoreFigures, CoreRow, compare, holds, judge
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.predictions import Predictions

ROWS = "answers.f32"
CHOSEN_BY = 0  # seed of the choice of images: the same ones for every file and every call


@dataclass(frozen=True)
class Ran:
    """A file and what it predicts on this machine, by which version of its runtime. tolerance: how far a logit may be
    off on another instruction set, 0 where it must be the same bits.
    """

    artifact: Artifact
    predictions: Predictions
    runtime: str
    version: str
    tolerance: float


def run(
    work: Path, files: Sequence[Ran], images: Images, threshold: float, count: int, progress: Progress
) -> tuple[Arm64Report, list[Gate]]:
    """The part "arm64" of report.json, and its gates.

    work: where answers are kept, so that a killed call goes on and an equal one is not run again. count: of test
    images; all of them where there are fewer. Raises InputError when ARM64 cannot be emulated here.
    """
    found = arm64.emulation()
    positive = images.labels("test") == images.task.melanoma
    chosen = choose(positive, count, CHOSEN_BY)
    samples = images.samples("test")
    ids = [samples[i].id for i in chosen]
    pixels = np.ascontiguousarray(images.pixels("test")[chosen])
    with TemporaryDirectory() as scratch:
        given = Path(scratch) / "images.npy"
        np.save(given, pixels)
        here = [_here(file, pixels, chosen) for file in files]
        jobs = [(file, cpu, own) for file, own in zip(files, here, strict=True) for cpu in arm64.CPUS]

        def emulate(job: tuple[Ran, str, Answers]) -> Answers:
            return _there(work, found, *job, given, progress)

        with ThreadPoolExecutor(usable_cores()) as pool:
            there = list(pool.map(emulate, jobs))
    task = images.task
    rows = []
    for (file, cpu, own), emulated in zip(jobs, there, strict=True):
        figures = compare(own, emulated, ids=ids, classes=task.classes, melanoma=task.melanoma, threshold=threshold)
        rows.append(_row(file, cpu, found, figures))
    gates: list[Gate] = []
    for file in files:
        name = file.artifact.path.name
        gates += judge(name, file.tolerance, [row for row in rows if row.artifact == name])
    report = Arm64Report(
        images=len(chosen),
        melanomas=int(positive[chosen].sum()),
        test_images=len(positive),
        threshold=threshold,
        tolerance=TOLERANCE,
        emulator=f"qemu {found.version}, user mode",
        cpus=tuple(arm64.CPUS),
        machine=processor(),
        packages=found.packages,
        rows=tuple(rows),
    )
    return finite(report), [finite(one) for one in gates]


def _row(file: Ran, cpu: str, found: arm64.Emulation, figures: CoreFigures) -> CoreRow:
    """The figures with what ran where."""
    name = formats.named(file.artifact.format).package
    return CoreRow(
        **vars(figures),
        artifact=file.artifact.path.name,
        sha256=file.artifact.sha256,
        cpu=cpu,
        x86_version=f"{file.runtime} {file.version}",
        arm64_version=f"{name} {found.packages.get(name)}",
        exact=file.tolerance == 0,
        holds=holds(figures, file.tolerance),
        tolerance=file.tolerance,
    )


def _here(file: Ran, pixels: NDArray[np.uint8], chosen: NDArray[np.intp]) -> Answers:
    """What the file answers on this machine: logits as they were just predicted, and heat maps where it has any."""
    logits = file.predictions.only("test").logits[chosen]
    model = formats.load(file.artifact.path, Preprocessing(pixels.shape[1]))
    maps = None if model.explain is None else model.heat_map(pixels).reshape(len(pixels), -1)
    return Answers(np.ascontiguousarray(logits), maps)


def _there(
    work: Path, found: arm64.Emulation, file: Ran, cpu: str, here: Answers, images: Path, progress: Progress
) -> Answers:
    """What it answers on an emulated core."""
    path, classes = file.artifact.path, here.logits.shape[1]
    outputs = classes + (0 if here.maps is None else here.maps.shape[1])
    form = formats.of(path)
    how = [form.runtime, *(f"{name}={value}" for name, value in form.settings(path).items())]

    def make(folder: Path) -> None:
        def told(done: int, total: int) -> None:
            progress(f"{path.name}: {cpu}", done, total)

        arm64.answers(found, cpu, path, images, outputs, folder / ROWS, told, how)

    stage = run_stage(
        work / "arm64" / f"{path.name}.{cpu}",
        make,
        inputs={"model": file.artifact.sha256, "images": sha256_file(images), "program": sha256_file(arm64.ANSWER)},
        code=__name__,
        options={"cpu": cpu, "qemu": found.version, "packages": found.packages, "runtime": how},
        resumes=True,
    )
    rows = np.fromfile(stage.folder / ROWS, "<f4").reshape(-1, outputs)
    return Answers(np.ascontiguousarray(rows[:, :classes]), None if here.maps is None else rows[:, classes:])
