"""The proof stage: what is judged, of which files, at the thresholds that validation chose and that ship."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_images import SIZE, darkness, lesions, prepared

from melanoma_edge.artifact import Artifact, sha256_file
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export.temperature import fold
from melanoma_edge.formats import write
from melanoma_edge.options import Gates, ProofOptions
from melanoma_edge.progress import silent
from melanoma_edge.stages import predict, proof
from melanoma_edge.verify import operating_point
from melanoma_edge.verify.document import PredictionFacts
from melanoma_edge.verify.gates import GRAPH_DP, INEXACT_DP
from melanoma_edge.verify.predictions import Predictions, concatenate

PROOF = ProofOptions()
OPEN = Gates(1, 1, 1)
FACTS = PredictionFacts(runtime="ai-edge-litert", version="2.3.0", device="cpu", threads=1)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    work = tmp_path_factory.mktemp("images")
    return prepared(work, lesions(work / "lesions", 60))


@pytest.fixture(scope="module")
def reference(images: Images) -> Predictions:
    """Answers that are right for most images of both splits."""

    def part(split: str, seed: int) -> Predictions:
        labels, samples = images.labels(split), images.samples(split)
        margin = np.random.default_rng(seed).normal(2 * labels - 1, 0.8)
        logits = np.stack([-margin, margin], axis=1).astype(np.float32)
        ids = tuple(s.id for s in samples)
        return Predictions(ids, (split,) * len(ids), labels, logits, 1, images.task.classes)

    return concatenate([part("val", 0), part("test", 1)])


def moved(answers: Predictions, split: str, rows: slice, by: float) -> Predictions:
    """Some images of a split answer with another margin."""
    logits = answers.logits.copy()
    chosen = np.flatnonzero(np.array(answers.splits) == split)[rows]
    logits[chosen, 1] += by
    return replace(answers, logits=logits)


def file(answers: Predictions, precision: str = "int8", size: int = 100, **facts: object) -> proof.Judged:
    return proof.Judged(f"m_{precision}.tflite", "tflite", precision, size, answers, FACTS, **facts)  # type: ignore[arg-type]


def verdict(reference: Predictions, files: list[proof.Judged], images: Images, gates: Gates = OPEN) -> dict:
    return proof.verdict(reference, files, images, PROOF, gates, silent)


def gate(told: dict, name: str) -> list[tuple[str, float, bool]]:
    return [(g["artifact"], g["limit"], g["passed"]) for g in told["gates"] if g["name"] == name]


def test_a_file_that_answers_as_the_reference_passes_and_flips_nothing(reference: Predictions, images: Images) -> None:
    told = verdict(reference, [file(reference)], images, Gates())
    assert not told["flips"] and len(told["gates"]) == 3 and all(g["passed"] for g in told["gates"])
    assert told["operating_point"]["chosen_on"] == "val" and told["reference"]["n"] == len(images.samples("test"))
    wanted = operating_point.choose("sensitivity=0.90", reference.only("val")).threshold
    assert told["operating_point"]["threshold"] == wanted
    (row,) = told["artifacts"]
    assert row["certainty"]["groups"] == len(images.samples("test"))


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the intervals, which take a second a file."""
    monkeypatch.setattr(proof, "certainty", lambda *_, **__: None)


@pytest.mark.usefixtures("light")
def test_validation_of_the_reference_alone_chooses_what_ships(reference: Predictions, images: Images) -> None:
    def chosen(reference: Predictions, artifact: Predictions) -> tuple[float, float]:
        told = verdict(reference, [file(artifact)], images)
        return told["operating_point"]["threshold"], told["rejection"]["threshold"]

    first = chosen(reference, reference)
    everything = slice(None)
    assert chosen(moved(reference, "test", everything, 2.0), reference) == first
    assert chosen(reference, moved(reference, "val", everything, 2.0)) == first
    assert chosen(moved(reference, "val", everything, 2.0), reference)[0] != first[0]


@pytest.mark.usefixtures("light")
def test_flips_on_the_test_split_are_told_with_their_diagnosis(reference: Predictions, images: Images) -> None:
    told = verdict(reference, [file(moved(reference, "test", slice(4), -9.0))], images, Gates(max_flip_rate=0.01))
    point = told["operating_point"]["threshold"]
    few = reference.only("test")
    wanted = [i for i, p in zip(few.ids[:4], few.p[:4], strict=True) if p >= point]
    diagnoses = proof.diagnoses(images)
    assert {f["image_id"]: f["diagnosis"] for f in told["flips"]} == {i: diagnoses[i] for i in wanted}
    assert wanted and gate(told, "max_flip_rate") == [("m_int8.tflite", 0.01, False)]
    assert not verdict(reference, [file(moved(reference, "val", slice(4), -9.0))], images)["flips"]


@pytest.mark.usefixtures("light")
def test_bytes_are_judged_of_int8_files_alone(reference: Predictions, images: Images) -> None:
    files = [file(reference, "float32", 999), file(reference, "int8", 999)]
    assert gate(verdict(reference, files, images, replace(OPEN, max_bytes=998)), "max_bytes") == [
        ("m_int8.tflite", 998, False)
    ]


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize(
    ("exact", "stated", "limit"),
    [(True, None, GRAPH_DP), (False, None, INEXACT_DP), (False, 0.002, 0.002), (True, 0.002, 0.002)],
)
def test_a_file_is_held_against_its_graph(
    exact: bool, stated: float | None, limit: float, reference: Predictions, images: Images
) -> None:
    for change in (limit, limit * 1.1):
        told = verdict(
            reference, [file(reference, graph_dp=change, exact=exact)], images, replace(OPEN, max_graph_dp=stated)
        )
        assert gate(told, "max_graph_dp") == [("m_int8.tflite", limit, change == limit)]
    assert gate(verdict(reference, [file(reference)], images), "max_graph_dp") == []


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A graph, and one that answers otherwise."""
    folder = tmp_path_factory.mktemp("graphs")
    write(darkness(), folder / "m.onnx")
    other = darkness()
    assert fold(other, 2.0, (0.0, 0.0))
    write(other, folder / "other.onnx")
    return folder / "m.onnx", folder / "other.onnx"


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_the_change_against_the_graph_is_measured_of_what_was_written_from_it(
    form: str, graphs: tuple[Path, Path], images: Images, tmp_path: Path
) -> None:
    path = tmp_path / f"m_int8.{form}"
    write(darkness(), path)
    artifact = Artifact(path, sha256_file(path), form, "int8")
    answer = predict.run(tmp_path, path.name, path, artifact.sha256, images, Preprocessing(SIZE), silent)
    same, far, unknown = (proof.judged(artifact, answer, graph, False, images) for graph in (*graphs, None))
    assert (same.name, same.bytes, same.facts["sha256"]) == (path.name, path.stat().st_size, artifact.sha256)
    assert unknown.graph_dp is None and not unknown.exact
    assert proof.judged(replace(artifact, precision="float32"), answer, None, False, images).exact
    if form == "onnx":
        assert same.graph_dp is far.graph_dp is None, "it is the graph"
    else:
        assert same.graph_dp is not None and far.graph_dp is not None
        assert same.graph_dp < 1e-5 and far.graph_dp > 0.01


def test_pictures_are_of_the_images_that_are_asked_for(images: Images) -> None:
    ids = [s.id for s in images.samples("test")]
    assert set(proof.pictures(images, ids[1:3])) == set(ids[1:3])
    assert set(proof.diagnoses(images)) == set(ids) and set(proof.diagnoses(images).values()) == {"melanoma", "nv"}
