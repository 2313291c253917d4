"""Judge every artifact's predictions against the reference's, and time them all side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, Stage, read_json, run_stage, sha256_file, write_json
from melanoma_edge.bench.document import BenchReport
from melanoma_edge.bench.machine import machine
from melanoma_edge.bench.run import bench
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.prepared import Images
from melanoma_edge.options import Gates, ProofOptions
from melanoma_edge.progress import Progress
from melanoma_edge.stages import predict
from melanoma_edge.stages.members import members
from melanoma_edge.verify import operating_point
from melanoma_edge.verify.certainty import certainty
from melanoma_edge.verify.document import Verified, document
from melanoma_edge.verify.gates import judge
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.refit import refit
from melanoma_edge.verify.subgroups import subgroups
from melanoma_edge.verify.thumbnails import thumbnails

INEXACT = 0.05  # least limit of max_graph_dp for graphs with operators that are not exact
THREADS = (1, 2)
BENCH = "bench.json"


@dataclass(frozen=True)
class Judged:
    """An artifact, what it predicted, and how: the facts of `stages.predict`. graph_dp: its largest change of a
    probability against the graph that it was written from, None when that is not at hand. exact: whether every operator
    of that graph gives the same bits in every runtime.
    """

    name: str
    format: str
    precision: str
    bytes: int
    predictions: Predictions
    facts: Mapping[str, Any]
    graph_dp: float | None = None
    exact: bool = True


def judged(artifact: Artifact, answer: Stage) -> Judged:
    """An artifact with the predictions that its stage left."""
    return Judged(
        artifact.path.name,
        artifact.format,
        artifact.precision,
        artifact.path.stat().st_size,
        predict.predictions(answer),
        predict.facts(answer),
    )


def verdict(
    reference: Predictions,
    artifacts: Sequence[Judged],
    images: Images,
    proof: ProofOptions,
    gates: Gates,
    progress: Progress,
) -> dict[str, Any]:
    """The verify document: decisions on the test split, at an operating point chosen on validation."""
    point = operating_point.choose(proof.operating_point, reference.only("val"))
    lesions, groups = {s.id: s.group for s in images.samples("test")}, members(images)
    truth = reference.only("test")
    rule, least = proof.operating_point, proof.min_kept
    verified, judgements = [], []
    for artifact in artifacts:
        test = artifact.predictions.only("test")
        parity = compare(truth, test, point)
        judgements += judge(artifact.name, parity, artifact.bytes, _own(gates, artifact), artifact.graph_dp)

        def told(task: str, done: int, total: int, detail: str = "", name: str = artifact.name) -> None:
            progress(f"{name}: {task}", done, total, detail)

        sure = certainty(truth, test, point, lesions, margin=proof.margin, workers=usable_cores(), progress=told)
        verified.append(
            Verified(
                artifact.name,
                artifact.format,
                artifact.precision,
                artifact.facts["runtime"],
                artifact.facts["version"],
                artifact.bytes,
                test,
                parity,
                sure,
                subgroups(truth, test, point, groups),
                refit(artifact.predictions, rule, least, (truth, point.threshold)),
            )
        )
    return document(point, truth, verified, judgements, diagnoses(images), refit(reference, rule, least))


def _own(gates: Gates, artifact: Judged) -> Gates:
    """The gates that one artifact is judged by."""
    size = gates.max_bytes if artifact.precision == "int8" else None
    change = None if artifact.graph_dp is None else gates.max_graph_dp
    wide = change is not None and not artifact.exact  # later roundings amplify what differs in the last bit
    return replace(gates, max_bytes=size, max_graph_dp=max(change or 0, INEXACT) if wide else change)


def diagnoses(images: Images) -> dict[str, str]:
    """The dataset's own class name of every test image."""
    return {s.id: s.diagnosis for s in images.samples("test")}


def pictures(images: Images, wanted: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails of test images by id."""
    ids = [s.id for s in images.samples("test")]
    return thumbnails(images.pixels("test"), ids, wanted)


def time_all(
    work: Path, artifacts: Sequence[Artifact], reference: Path, graph: Path, runs: int, progress: Progress
) -> BenchReport:
    """The reference in torch and, as `graph`, in ONNX Runtime, and every artifact, interleaved."""
    files = {"reference": reference, **{a.path.name: a.path for a in artifacts}}
    form = formats.of(graph)
    shipped = any(a.format == form.name and a.precision == "float32" for a in artifacts)
    if formats.of(reference) is not form and not shipped:
        files["reference.onnx"] = graph

    def make(folder: Path) -> None:
        write_json(folder / BENCH, bench(files, threads=THREADS, runs=runs, progress=progress))

    stage = run_stage(
        work / "bench",
        make,
        inputs={name: sha256_file(path) for name, path in files.items()},
        code=__name__,
        options={"runs": runs, "threads": THREADS, "machine": machine()},
    )
    return read_json(stage.folder / BENCH, BenchReport)
