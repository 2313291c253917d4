"""Our recipes and other people's converters on one trained network: size, latency, flips, in one process.

    make bench-peers NETWORKS="../shared/networks/mobilenet_v2_160.onnx" DATA=ham10000:../shared/data/ham10000

writes docs/results/peers/NETWORK.json, one a network; `benchmarks/peers_table.py` makes the table and the plot of them.
Every converter gets the same float32 graph and the same calibration images, and runs in a process of its own, for its
seconds and its peak memory. Files are timed by turns on one thread; only the test split gives the figures.
"""

import argparse
import contextlib
import importlib
import importlib.metadata
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from convert import OURS, PEERS, Made, convert
from numpy.typing import NDArray
from peak import multiply_adds, peak

from melanoma_edge import formats
from melanoma_edge.artifact import write_json
from melanoma_edge.bench.latency import interleave, ratio
from melanoma_edge.bench.machine import machine
from melanoma_edge.bench.partitions import partitions
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export.check import check_contract
from melanoma_edge.formats import write
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.runtime import litert
from melanoma_edge.stages import data as data_stage
from melanoma_edge.stages import export
from melanoma_edge.verify import metrics, operating_point
from melanoma_edge.verify.predictions import Predictions, softmax

RUNS = 200
RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "peers"
Run = Callable[[NDArray[np.uint8]], Callable[[], NDArray[np.float32]]]  # an image put in place; call to run


def measure(network: Path, data: str, mean: float, std: float, work: Path) -> dict[str, Any]:
    """The document of one network."""
    size = check_contract(network).size
    images = data_stage.prepare(work / "data", DataOptions(data), size=size, train=False, progress=silent)
    exported = export.adopt(work / network.stem, network, Preprocessing(size, (mean,) * 3, (std,) * 3))
    onnx = exported.folder / export.MODEL
    folder = work / network.stem / "files"
    folder.mkdir(parents=True, exist_ok=True)
    write(ir.load(onnx), folder / "float32.tflite")
    files = [Made("float32", str(path), 0.0, 0) for path in (folder / "float32.tflite", onnx)]
    files += _converted(onnx, images, folder)
    runs = {made.path: _runner(Path(made.path), size) for made in files}
    truth = {split: _answers(runs[str(onnx)], images.pixels(split)) for split in ("val", "test")}
    point = operating_point.choose("sensitivity=0.90", _predictions(truth["val"], images, "val"))
    image = np.asarray(images.pixels("test")[0])
    times = interleave({path: run(image) for path, run in runs.items()}, runs=RUNS)
    rows = []
    for made in files:
        path = Path(made.path)
        base = str(folder / "float32.tflite" if path.suffix == ".tflite" else onnx)
        row = _judge(_answers(runs[made.path], images.pixels("test")), truth["test"], images, point.threshold)
        p50, by_float = float(np.median(times[made.path]) / 1e6), ratio(times[made.path], times[base])
        parts = partitions(path).partitions if path.suffix == ".tflite" else None
        how = {"name": made.name, "format": path.suffix[1:], "seconds": made.seconds, "megabytes": made.megabytes}
        how |= {"bytes": path.stat().st_size, "partitions": parts, "p50_ms": p50, "ratio": by_float}
        rows.append({**how, **row})
    return {
        "network": network.stem,
        "machine": machine(),
        "versions": _versions(),
        "runs": RUNS,
        "multiply_adds": multiply_adds(ir.load(onnx)),
        "peak_per_second": peak(folder),
        "calibration_images": len(images.pixels("calibration")),
        "rows": rows,
    }


def _converted(onnx: Path, images: Images, folder: Path) -> Iterator[Made]:
    """Every file of ours, and of those peers that are installed and convert this network; the others are named on
    stderr."""
    calibration = folder / "calibration.npy"
    np.save(calibration, np.asarray(images.pixels("calibration")))
    for name in (*OURS, *PEERS):
        try:
            yield from convert(name, onnx, calibration, folder)
        except subprocess.CalledProcessError as failed:
            print(f"{name} does not convert {onnx.parent.parent.name}: {failed.stderr[-400:]}", file=sys.stderr)


def _runner(path: Path, size: int) -> Run:
    """One thread of the file's runtime; integer inputs and outputs of a .tflite are converted outside of the call."""
    if path.suffix != ".tflite":
        return formats.load(path, Preprocessing(size), threads=1).prepared
    interpreter = litert.allocate(path, threads=1)
    entry, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def prepare(image: NDArray[np.uint8]) -> Callable[[], NDArray[np.float32]]:
        x = normalize(image[np.newaxis], Preprocessing(size))
        if entry["dtype"] == np.int8:
            scale, zero = entry["quantization"]
            x = np.clip(np.rint(x / scale) + zero, -128, 127).astype(np.int8)

        def run() -> NDArray[np.float32]:
            interpreter.set_tensor(entry["index"], x)
            interpreter.invoke()
            scale, zero = output["quantization"] if output["dtype"] == np.int8 else (1.0, 0)
            return np.asarray((interpreter.get_tensor(output["index"]).astype(np.float32) - zero) * scale)

        return run

    return prepare


def _answers(run: Run, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([run(np.asarray(image))() for image in pixels])


def _predictions(logits: NDArray[np.float32], images: Images, split: str) -> Predictions:
    samples, task = images.samples(split), images.task
    ids = tuple(sample.id for sample in samples)
    return Predictions(ids, (split,) * len(ids), images.labels(split), logits, task.melanoma, task.classes)


def _judge(
    logits: NDArray[np.float32], truth: NDArray[np.float32], images: Images, threshold: float
) -> Mapping[str, float]:
    melanoma = images.task.melanoma
    p, reference = softmax(logits)[:, melanoma], softmax(truth)[:, melanoma]
    area = metrics.auc(images.labels("test") == melanoma, p)
    change = np.abs(p - reference)
    return {
        "auc": area,
        "auc_delta": area - metrics.auc(images.labels("test") == melanoma, reference),
        "flips": int(metrics.flips(reference, p, threshold).sum()),
        "images": len(p),
        "mean_abs_dp": float(change.mean()),
        "max_abs_dp": float(change.max()),
    }


def _versions() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in ("torch", "onnxruntime", "ai-edge-litert")}
    for peer in PEERS:
        module = importlib.import_module(f"peers.{peer}")
        version = getattr(module, "version", importlib.metadata.version)  # of its own environment, where it has one
        with contextlib.suppress(importlib.metadata.PackageNotFoundError, OSError, subprocess.CalledProcessError):
            versions |= {package: version(package) for package in module.PACKAGES}
    return versions


def main() -> None:
    """Measure the networks named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("networks", nargs="+", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--mean", type=float, default=127.5)
    parser.add_argument("--std", type=float, default=127.5)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the documents")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for network in options.networks:
            document = measure(network, options.data, options.mean, options.std, Path(work))
            write_json(options.output / f"{network.stem}.json", document)
            print(options.output / f"{network.stem}.json")


if __name__ == "__main__":
    main()
