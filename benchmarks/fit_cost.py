"""The prices of `selection/cost.py`, fitted to the latencies of docs/results/peers/*.json.

    python benchmarks/fit_cost.py ../shared/networks/*.onnx --data ham10000:../shared/data/ham10000 --graphs FOLDER

makes the graph of every recipe of ours (rounded to nearest, which no kernel's time depends on) of each network that has
a file there, keeps them in FOLDER for the next time, and prints the prices and their error: on the fitted networks, and
on each network when it is left out of the fit. Of a NETWORK.onnx that is not there, ARCH_SIZE.onnx, an untrained one
stands for the float file and the recipes that do not depend on the weights.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from scipy.optimize import nnls

from melanoma_edge import models
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.export.check import check_contract
from melanoma_edge.export.onnx import export_onnx
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.quantize import scheme_of
from melanoma_edge.quantization.quantizers import Subject
from melanoma_edge.quantization.write import write
from melanoma_edge.selection import cost
from melanoma_edge.stages import data as data_stage
from melanoma_edge.stages import export

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "results" / "peers"
QUANTIZERS = ("static", "static_wi8_ai8", "mixed")
UNTRAINED = ("static", "static_wi8_ai8")  # whose graph does not depend on the weights
RIDGE = 0.1
FORMATS = {"litert": "tflite", "onnxruntime": "onnx"}


@dataclass(frozen=True)
class Row:
    """One file: what its graph does, and its milliseconds by format."""

    network: str
    recipe: str
    work: dict[str, float]
    milliseconds: dict[str, float]


def graphs(network: Path, data: str, mean: float, std: float, folder: Path) -> Iterator[tuple[str, ir.Model]]:
    """The float graph and that of every recipe, by name."""
    kept = sorted(folder.glob(f"{network.stem}.*.onnx"))
    if not kept and not network.exists():
        _untrained(network.stem, folder)
    elif not kept:
        size = check_contract(network).size
        images = data_stage.prepare(folder / "data", DataOptions(data), size=size, train=False, progress=silent)
        spec = Preprocessing(size, (mean,) * 3, (std,) * 3)
        model = ir.load(export.adopt(folder / network.stem, network, spec).folder / export.MODEL)
        ir.save(model, folder / f"{network.stem}.float32.onnx")
        passes.apply(model, "integer")
        subject = Subject(model, images.pixels("calibration"), Preprocessing(size))
        for name in QUANTIZERS:
            for plan in quantizers.plans(name, subject):
                seen = quantizers.evidence(subject, plan.recipe)
                made = write(*scheme_of(seen, replace(plan.recipe, adaptive_rounding=False)))
                ir.save(made, folder / f"{network.stem}.{plan.recipe.name}.onnx")
    for path in sorted(folder.glob(f"{network.stem}.*.onnx")):
        yield path.name.removeprefix(f"{network.stem}.").removesuffix(".onnx"), ir.load(path)


def _untrained(name: str, folder: Path) -> None:
    arch, _, size = name.rpartition("_")
    path = folder / f"{name}.float32.onnx"
    export_onnx(models.create(arch, 2).eval(), int(size), path)
    model = ir.load(path)
    passes.apply(model, "integer")
    pixels = np.random.default_rng(0).integers(0, 256, (4, int(size), int(size), 3), np.uint8)
    subject = Subject(model, pixels, Preprocessing(int(size)))
    for recipe in UNTRAINED:
        (attempt,) = quantizers.attempts(recipe, subject)
        ir.save(attempt.model, folder / f"{name}.{recipe}.onnx")


def rows(networks: Sequence[Path], data: str, mean: float, std: float, folder: Path) -> Iterator[Row]:
    """One for each graph that was timed in both formats."""
    for network in networks:
        timed = json.loads((MEASURED / f"{network.stem}.json").read_text())["rows"]
        times = {(row["name"], row["format"]): row["p50_ms"] for row in timed}
        for recipe, model in graphs(network, data, mean, std, folder):
            milliseconds = {form: times.get((recipe, form)) for form in FORMATS.values()}
            if None not in milliseconds.values():
                yield Row(network.stem, recipe, dict(cost.work(model)), milliseconds)


def fit(measured: Sequence[Row], form: str) -> dict[str, float]:
    """Prices in nanoseconds, none negative, of least squared relative error and, by RIDGE, of least size: kinds that
    these networks cannot tell apart share their time."""
    kinds = sorted({kind for row in measured for kind in row.work})
    work = np.array([[row.work.get(kind, 0.0) for kind in kinds] for row in measured])
    shares = work / np.array([row.milliseconds[form] * 1e6 for row in measured])[:, None]
    sizes = shares.max(0).clip(min=1e-30)
    equations = np.concatenate([shares / sizes, RIDGE * np.eye(len(kinds))])
    solution, _ = nnls(equations, np.concatenate([np.ones(len(measured)), np.zeros(len(kinds))]))
    return {kind: float(f"{price:.3g}") for kind, price in zip(kinds, solution / sizes, strict=True) if price > 0}


def errors(prices: dict[str, float], measured: Sequence[Row], judged: Sequence[Row], form: str) -> NDArray[np.float64]:
    """Of the ratios to float of `judged`: predicted by measured, less 1."""
    floats = {row.network: row for row in measured if row.recipe == "float32"}

    def priced(row: Row) -> float:
        return sum(prices.get(kind, 0.0) * amount for kind, amount in row.work.items())

    def ratios(row: Row) -> tuple[float, float]:
        base = floats[row.network]
        return priced(row) / priced(base), row.milliseconds[form] / base.milliseconds[form]

    compared = [(row, *ratios(row)) for row in judged if row.recipe != "float32"]
    for row, predicted, real in compared:
        print(f"  {row.network:24} {row.recipe:16} {predicted:.3f} {real:.3f}")
    return np.array([predicted / real - 1 for _, predicted, real in compared])


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--mean", type=float, default=127.5)
    parser.add_argument("--std", type=float, default=127.5)
    parser.add_argument("--graphs", type=Path, required=True)
    options = parser.parse_args()
    measured = list(rows(options.networks, options.data, options.mean, options.std, options.graphs))
    for runtime, form in FORMATS.items():
        prices = fit(measured, form)
        print(f"{runtime}: {prices}")
        seen = errors(prices, measured, measured, form)
        print(f"  error of the ratio: {np.abs(seen).mean():.3f} on average, {np.abs(seen).max():.3f} at most")
        for network in sorted({row.network for row in measured}):
            others = [row for row in measured if row.network != network]
            mine = [row for row in measured if row.network == network]
            unseen = np.abs(errors(fit(others, form), measured, mine, form))
            print(f"  {network} left out of the fit: {unseen.mean():.3f} on average, {unseen.max():.3f} at most")


if __name__ == "__main__":
    main()
