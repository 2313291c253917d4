"""Judge every artifact's predictions against the reference's, and time them all side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, Stage, read_json, run_stage, sha256_file, write_json
from melanoma_edge.bench.document import BenchReport
from melanoma_edge.bench.machine import machine
from melanoma_edge.bench.run import bench
from melanoma_edge.cores import usable_cores
from melanoma_edge.data.members import members
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.options import Gates, ProofOptions
from melanoma_edge.progress import Progress
from melanoma_edge.stages import predict
from melanoma_edge.verify import operating_point, rejection, suspicion
from melanoma_edge.verify.answering import Thresholds, answering, uncertainty
from melanoma_edge.verify.certainty import certainty
from melanoma_edge.verify.document import PredictionFacts, Verified, VerifyReport, document
from melanoma_edge.verify.gates import graph_gate, judge
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions, softmax
from melanoma_edge.verify.rejection import Rejection
from melanoma_edge.verify.subgroups import subgroups
from melanoma_edge.verify.thumbnails import thumbnails

FAITHFUL = 200  # validation images: a file that computes something else than its graph shows it on a few
THREADS = (1, 2)
BENCH = "bench.json"


@dataclass(frozen=True)
class Judged:
    """An artifact, what it predicted, and how: the facts of `stages.predict`. graph_dp: its largest change of a
    probability against the graph that it was written from; None for the graph itself, and where that is not at hand.
    exact: whether every operator of that graph gives the same bits in every runtime.
    """

    name: str
    format: str
    precision: str
    bytes: int
    predictions: Predictions
    facts: PredictionFacts
    graph_dp: float | None = None
    exact: bool = True


def judged(artifact: Artifact, answer: Stage, graph: Path | None, exact: bool, images: Images) -> Judged:
    """An artifact with the predictions that its stage left. graph: an ONNX file, what it was written from, None where
    that is not at hand. exact: of the INT8 graph.
    """
    predictions = predict.predictions(answer)
    return Judged(
        artifact.path.name,
        artifact.format,
        artifact.precision,
        artifact.path.stat().st_size,
        predictions,
        predict.facts(answer),
        None if formats.named(artifact.format).is_graph or graph is None else graph_change(predictions, graph, images),
        artifact.precision != "int8" or exact,
    )


def graph_change(answers: Predictions, graph: Path, images: Images) -> float:
    """Largest change of a probability of melanoma against `graph`, an ONNX file that ONNX Runtime runs. answers: of the
    file that was written from it, on the validation split too.
    """
    few = np.asarray(images.pixels("val")[:FAITHFUL])
    exact = softmax(formats.load(graph, Preprocessing(images.size))(few))[:, images.task.melanoma]
    return float(np.abs(answers.only("val").p[: len(few)] - exact).max())


def verdict(
    reference: Predictions,
    artifacts: Sequence[Judged],
    images: Images,
    proof: ProofOptions,
    gates: Gates,
    progress: Progress,
) -> VerifyReport:
    """The proof: decisions on the test split, by the policy that ships."""
    point, refused = policy(reference, proof)
    at = Thresholds(point.threshold, refused.threshold)
    lesions, groups = {s.id: s.group for s in images.samples("test")}, members(images)
    truth = reference.only("test")
    verified, judgements = [], suspicion.gates(truth, proof.accept_suspicious_reference)
    for artifact in artifacts:
        test = artifact.predictions.only("test")
        parity = compare(truth, test, point)
        size = gates.max_bytes if artifact.precision == "int8" else None
        judgements += judge(artifact.name, parity, artifact.bytes, replace(gates, max_bytes=size))
        if artifact.graph_dp is not None:
            judgements.append(graph_gate(artifact.name, artifact.graph_dp, gates, artifact.exact))

        def told(task: str, done: int, total: int, detail: str = "", name: str = artifact.name) -> None:
            progress(f"{name}: {task}", done, total, detail)

        sure = certainty(truth, test, point, lesions, margin=proof.margin, workers=usable_cores(), progress=told)
        verified.append(
            Verified(
                artifact.name,
                artifact.format,
                artifact.precision,
                artifact.facts.runtime,
                artifact.facts.version or "",
                artifact.bytes,
                test,
                parity,
                sure,
                subgroups(truth, test, point, groups),
                answering(artifact.predictions, at),
                uncertainty(truth, test, at),
            )
        )
    return document(point, truth, verified, judgements, diagnoses(images), refused, answering(reference, at))


def policy(reference: Predictions, proof: ProofOptions) -> tuple[OperatingPoint, Rejection]:
    """What decides and what is uncertain in every file that ships: chosen on the reference's validation split."""
    validation = reference.only("val")
    point = operating_point.choose(proof.operating_point, validation)
    return point, rejection.choose(validation.is_melanoma, validation.p, proof.min_kept)


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
