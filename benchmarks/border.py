"""What the border of a normalised image changes: decisions and latency, with the frame of its colour and with grey.

.venv/bin/python benchmarks/border.py ../shared/networks/*.onnx --data ham10000:../shared/data/ham10000

Each network, trained with --mean and --std, gets a first convolution that takes ImageNet's normalisation instead: equal
inside the image, but padded with ImageNet's mean colour. That one, in ONNX Runtime, is the reference.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from melanoma_edge import formats, graph
from melanoma_edge.bench.latency import interleave, ratio
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.export.normalization import fold_input_normalization
from melanoma_edge.export.passes import image_border
from melanoma_edge.models import IMAGENET_MEAN, IMAGENET_STD
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax
from melanoma_edge.stages import data as data_stage
from melanoma_edge.verify.predictions import softmax

IMAGES, RUNS = 400, 300
HEAD = """| network | file | flips, grey | largest Δp, grey | flips, frame | largest Δp, frame | time, frame by grey |
| --- | --- | ---: | ---: | ---: | ---: | ---: |"""


def retrofitted(network: Path, mean: float, std: float) -> ir.Model:
    """`network`, which takes (pixel - mean) / std, with a first convolution that takes ImageNet's normalisation."""
    model = ir.load(network)
    passes.apply(model, "clean")
    (conv,) = model.graph.inputs[0].consumers()
    weights = np.asarray(graph.constant(conv.inputs[1]), np.float64)
    bias = np.asarray(graph.constant(conv.inputs[2]), np.float64)
    means, stds = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD)
    bias = bias + np.einsum("oihw,i->o", weights, (means - mean) / std)
    weights = weights * (stds / std)[:, None, None]
    for index, array in ((1, weights), (2, bias)):
        conv.replace_input_with(index, graph.add_constant(model.graph, "retrofitted", array.astype(np.float32)))
    return model


def folded(model: ir.Model, grey: bool) -> ir.Model:
    """With ImageNet's normalisation folded in; `grey`: its border is grey, as if zero had been that."""
    made = model.clone()
    fold_input_normalization(made, IMAGENET_MEAN, IMAGENET_STD)
    if grey:
        (first,) = made.graph.inputs[0].consumers()
        while graph.is_op(first, "Concat"):
            for value in first.inputs:
                if value is not None and value.const_value is not None:
                    value.const_value = ir.tensor(
                        np.zeros(value.const_value.shape.numpy(), np.float32), name=value.name
                    )
            (first,) = first.outputs[0].consumers()
        image_border.run(made)  # which gives a border of zeros back to the convolution
    passes.apply(made, "clean")
    return made


def probabilities(path: Path, spec: Preprocessing, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of melanoma `[N]`."""
    return softmax(formats.load(path, spec)(pixels))[:, 1]


def main() -> None:
    """A row for each network and file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("networks", nargs="+", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--mean", type=float, default=127.5)
    parser.add_argument("--std", type=float, default=127.5)
    options = parser.parse_args()
    print(HEAD)
    for network in options.networks:
        with tempfile.TemporaryDirectory() as scratch:
            rows(network, options.data, options.mean, options.std, Path(scratch))


def rows(network: Path, data: str, mean: float, std: float, scratch: Path) -> None:
    """Print what one network shows."""
    model = retrofitted(network, mean, std)
    size = int(model.graph.inputs[0].shape.numpy()[2])  # type: ignore[union-attr]
    images = data_stage.prepare(scratch / "data", DataOptions(data), size=size, train=False, progress=silent)
    pixels, calibration = np.asarray(images.pixels("test")[:IMAGES]), np.asarray(images.pixels("calibration"))
    ir.save(model, scratch / "reference.onnx")
    exact = probabilities(scratch / "reference.onnx", Preprocessing(size, IMAGENET_MEAN, IMAGENET_STD), pixels)
    threshold = float(np.quantile(exact, 0.8))
    files: dict[tuple[str, str, str], Path] = {}
    for border in ("grey", "frame"):
        plain = folded(model, border == "grey")
        integer = plain.clone()
        passes.apply(integer, "integer")
        int8, _ = quantize(integer, calibration, Preprocessing(size), minmax.RECIPE)
        for precision, made in (("float32", plain), ("int8", int8)):
            for suffix in (".onnx", ".tflite"):
                path = scratch / f"{border}_{precision}{suffix}"
                formats.write(made, path)
                files[precision, suffix, border] = path
    spec = Preprocessing(size)
    times = interleave(
        {key: formats.load(path, spec, threads=1).prepared(pixels[0]) for key, path in files.items()}, runs=RUNS
    )
    for precision in ("float32", "int8"):
        for suffix in (".onnx", ".tflite"):
            cells = []
            for border in ("grey", "frame"):
                p = probabilities(files[precision, suffix, border], spec, pixels)
                cells += [str(int(((p >= threshold) != (exact >= threshold)).sum())), f"{np.abs(p - exact).max():.1e}"]
            taken = ratio(times[precision, suffix, "frame"], times[precision, suffix, "grey"])
            cells.append(f"{taken.median:.3f} [{taken.low:.3f}, {taken.high:.3f}]")
            print(f"| {network.stem} | {precision}{suffix} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
