"""The heat maps of the shipped files beside the float network's: how alike they are, and pictures of a few."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.document import finite
from melanoma_edge.export.heat_map import append
from melanoma_edge.progress import Progress
from melanoma_edge.report.looks import PHOTOGRAPH, REFERENCE
from melanoma_edge.stages.emit import Graph
from melanoma_edge.verify.heat_maps import HeatMapReport, MapAgreement, MapCase, cases, correlations
from melanoma_edge.verify.overlay import overlay
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.thumbnails import thumbnail

COMPARED = 200  # test images, evenly spread over the split
Maps = NDArray[np.float32]  # [N, h, w]


@dataclass(frozen=True)
class HeatMaps:
    """document: "heat_maps" of report.json. pictures: JPEG by image id and file name; the photograph's name is ""."""

    document: HeatMapReport | None = None
    pictures: Mapping[tuple[str, str], bytes] = field(default_factory=dict)


def compare(
    graph: Graph,
    artifacts: Sequence[Artifact],
    answers: Sequence[Predictions],
    truth: Predictions,
    threshold: float,
    images: Images,
    progress: Progress,
) -> HeatMaps:
    """How each artifact's maps agree with those of `graph`, the float network, on test images.

    answers: the artifacts' predictions, in their order; truth: the reference's. Of each outcome of the reference the
    surest few are drawn, by the float network and the first file that is not float32.
    """
    test, pixels, samples = truth.only("test"), images.pixels("test"), images.samples("test")
    shown = cases(test, threshold)
    rows = sorted({*(case.row for case in shown), *_spread(len(pixels))})
    place = {row: i for i, row in enumerate(rows)}
    chosen = np.stack([pixels[row] for row in rows])
    exact = _exact_maps(graph, chosen, images, progress)
    maps = {a.path.name: _maps(a.path, chosen, images.size, progress) for a in artifacts}
    alike = {name: correlations(exact, found) for name, found in maps.items()}
    drawn, answer = _first_compressed(artifacts, answers)
    told = tuple(
        MapCase(
            test.ids[case.row],
            case.outcome,
            test.classes[test.labels[case.row]],
            samples[case.row].diagnosis,
            float(test.p[case.row]),
            float(answer.p[case.row]) if answer else None,
            float(alike[drawn][place[case.row]]) if drawn else None,
        )
        for case in shown
    )
    seen = {REFERENCE: exact, **({drawn: maps[drawn]} if drawn else {})}
    pictures: dict[tuple[str, str], bytes] = {}
    for case in shown:
        i, image_id = place[case.row], test.ids[case.row]
        drawings = _draw(chosen[i], {name: found[i] for name, found in seen.items()})
        pictures |= {(image_id, name): data for name, data in drawings.items()}
    agreement = tuple(_summary(name, found) for name, found in alike.items())
    document = HeatMapReport((exact.shape[1], exact.shape[2]), len(rows), drawn, agreement, told)
    return HeatMaps(finite(document), pictures)


def _first_compressed(
    artifacts: Sequence[Artifact], answers: Sequence[Predictions]
) -> tuple[str | None, Predictions | None]:
    """Name and test predictions of the file that is drawn beside the reference."""
    for artifact, answer in zip(artifacts, answers, strict=True):
        if artifact.precision != "float32":
            return artifact.path.name, answer.only("test")
    return None, None


def _spread(count: int) -> list[int]:
    """At most COMPARED rows of `count`, evenly spread."""
    return [int(row) for row in np.linspace(0, count - 1, min(COMPARED, count))]


def _exact_maps(graph: Graph, chosen: NDArray[np.uint8], images: Images, progress: Progress) -> Maps:
    """The heat maps of the float network, which is not shipped with any."""
    with tempfile.TemporaryDirectory() as scratch:
        model, path = ir.load(graph.path), Path(scratch) / "reference.onnx"
        append(model, images.task.melanoma)
        ir.save(model, path)
        return _maps(path, chosen, images.size, progress)


def _maps(path: Path, chosen: NDArray[np.uint8], size: int, progress: Progress) -> Maps:
    """The heat maps of one file, image by image."""
    loaded, found = formats.load(path, Preprocessing(size)), []
    for done, image in enumerate(chosen, 1):
        found.append(loaded.heat_map(image[np.newaxis]))
        progress(f"{path.name}: heat maps", done, len(chosen))
    return np.concatenate(found)


def _summary(name: str, found: NDArray[np.float64]) -> MapAgreement:
    """Median and lowest correlation of the images that have one."""
    known = found[np.isfinite(found)]
    median, lowest = (float(np.median(known)), float(known.min())) if len(known) else (None, None)
    return MapAgreement(name, len(known), median, lowest)


def _draw(pixels: NDArray[np.uint8], maps: Mapping[str, Maps]) -> dict[str, bytes]:
    """The photograph and its overlays `[h, w]` on one scale, so that a paler one is a weaker one."""
    strongest = float(np.abs(maps[REFERENCE]).max())
    drawn = {name: thumbnail(overlay(pixels, found, strongest)) for name, found in maps.items()}
    return {PHOTOGRAPH: thumbnail(pixels), **drawn}
