"""A few test images as a phone might have taken them, through the float graph and every file."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact, Stage, read_json, run_stage, write_json
from melanoma_edge.cores import usable_cores
from melanoma_edge.data import perturb
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.progress import Progress
from melanoma_edge.stages.emit import Graph
from melanoma_edge.verify.predictions import softmax
from melanoma_edge.verify.robustness import Change, RobustnessReport, robustness

PROBABILITIES, FACTS = "probabilities.npy", "facts.json"


@dataclass(frozen=True)
class Chosen:
    """facts.json: the images, which of them are melanomas, the files, and what computed the reference's answers."""

    ids: tuple[str, ...]
    melanoma: tuple[bool, ...]
    files: tuple[str, ...]
    reference: str


def run(
    work: Path, graph: Graph, artifacts: Sequence[Artifact], images: Images, count: int, progress: Progress
) -> Stage:
    """Leaves probabilities.npy, float64 `[1 + files, 1 + changes, count]`, and facts.json: names, images, labels.

    graph: the float graph, which computes what the reference does, in a fraction of torch's time in ONNX Runtime. It
    comes first, as do the unchanged images. count: of images, if the test split has so many.
    """
    samples, seed = images.samples("test"), images.stage.manifest.options["seed"]
    positive = images.labels("test") == images.task.melanoma
    chosen = choose(positive, count, seed)
    all_changes = (None, *perturb.standard())
    spec = Preprocessing(images.size)
    files = {
        graph.sha256: graph.path,
        **{a.sha256: a.path for a in artifacts},
    }  # each content once
    networks = [formats.load(path, spec) for path in files.values()]
    places = [list(files).index(sha256) for sha256 in (graph.sha256, *(a.sha256 for a in artifacts))]
    own = threading.local()  # a network runs in one thread at a time

    def start() -> None:
        own.networks = [formats.load(path, spec) for path in files.values()]

    def answer(image: int) -> NDArray[np.float64]:
        pixels = perturb.load_perturbed(samples[image].path, images.size, all_changes, (seed, image))
        return np.stack([softmax(network(pixels))[:, images.task.melanoma] for network in own.networks])

    def make(folder: Path) -> None:
        parts = []
        with ThreadPoolExecutor(usable_cores(), initializer=start) as pool:
            for part in pool.map(answer, map(int, chosen)):
                parts.append(part)
                progress("changed photographs", len(parts), len(chosen))
        np.save(folder / PROBABILITIES, np.stack(parts, axis=2)[places])
        ids, melanoma = tuple(samples[i].id for i in chosen), tuple(positive[chosen].tolist())
        told = f"float graph, {networks[0].runtime} {networks[0].version}"
        write_json(folder / FACTS, Chosen(ids, melanoma, tuple(a.path.name for a in artifacts), told))

    return run_stage(
        work / "robust",
        make,
        inputs={
            "graph": graph.sha256,
            **{a.path.name: a.sha256 for a in artifacts},
            **{name: images.stage.sha256(name) for name in ("samples.csv", "test.npy")},
        },
        code=__name__,
        options={
            "images": count,
            "seed": seed,
            "changes": [asdict(change) for change in perturb.standard()],
            "runtimes": sorted({f"{network.runtime} {network.version}" for network in networks}),
        },
        tools=("pillow", "numpy"),
    )


def document(stage: Stage, threshold: float) -> RobustnessReport:
    """What `verify.robustness` finds in the stage's probabilities, at an operating point."""
    told = read_json(stage.folder / FACTS, Chosen)
    p = np.load(stage.folder / PROBABILITIES, allow_pickle=False)
    changes = [Change(c.kind, c.strength, perturb.UNITS[c.kind]) for c in perturb.standard()]
    artifacts = dict(zip(told.files, p[1:], strict=True))
    return robustness(changes, told.reference, p[0], artifacts, np.array(told.melanoma, bool), threshold)


def choose(positive: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.intp]:
    """Positions of `count` images at random, in order; half of them melanomas, or as near to that as there are."""
    order = np.random.default_rng(seed).permutation(len(positive))
    melanomas, others = order[positive[order]], order[~positive[order]]
    few = min(len(melanomas), max(count // 2, count - len(others)))
    return np.sort(np.concatenate([melanomas[:few], others[: count - few]]))
