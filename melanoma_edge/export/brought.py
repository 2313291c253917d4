"""A network from elsewhere as the clean float graph that everything is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.data.preprocess import Normalization, Scaling
from melanoma_edge.export import passes
from melanoma_edge.export.check import read_network
from melanoma_edge.export.ending import reorder
from melanoma_edge.export.normalization import fold_input_normalization
from melanoma_edge.export.onnx import clean, folded_difference, save
from melanoma_edge.export.report import ExportReport

ENDING_CHANGED = "reference.onnx"


@dataclass(frozen=True)
class Brought:
    """model: as the clean passes leave it. passes: rewrites by pass. cut: the Softmax that was cut off its end."""

    model: ir.Model
    report: ExportReport
    passes: Mapping[str, int]
    cut: str | None


def bring(
    source: Path, folder: Path, own: Scaling | None, *, order: Sequence[int] = (), any_image: bool = False
) -> Brought:
    """Read, check, clean and compare an ONNX classifier.

    own: the normalisation of its input, which is folded in, so that the graph takes (pixel - 128) / 128; None: the
    graph takes what the network takes. order: which of its outputs are the first, second ... class; nothing where they
    are in order already. any_image: of `check.read_network`. folder: for scratch files; it holds ENDING_CHANGED
    afterwards, the network with that done to it alone, where a Softmax was cut off or outputs were put in order.
    Raises InputError as `check.read_network` and `onnx.clean` do, EdgeError when the graph computes something else.
    """
    network, given = read_network(source, any_image=any_image), source
    image = network.contract.image
    mean, std = Normalization(own.mean, own.std).channels(image[0]) if own else ((), ())
    scaling = Normalization(mean, std) if own else Normalization()
    if order:
        reorder(network.model, order)
    if order or network.cut:
        given = folder / ENDING_CHANGED
        save(network.model, given)
    cleaned = folder / "cleaned.onnx"
    report = clean(given, cleaned, image, scaling)
    model = ir.load(cleaned)
    cleaned.unlink()
    rewrites = passes.apply(model, "clean")
    if own is not None:
        fold_input_normalization(model, mean, std)
        rewrites = {name: rewrites[name] + again for name, again in passes.apply(model, "clean").items()}
        folded = folded_difference(given, image, scaling, model)
        report = replace(report, max_abs_difference=max(report.max_abs_difference, folded))
    return Brought(model, report, rewrites, network.cut)
