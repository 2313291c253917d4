"""torch to ONNX: one static image in, logits out, cleaned, checked against torch; equal weights give equal bytes."""

import copy
import io
import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import onnxsim
import torch
from numpy.typing import NDArray
from torch import nn

from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.errors import EdgeError

OPSET = 18
INPUT, OUTPUT = "image", "logits"
TOLERANCE = 1e-4  # of the largest logit where that exceeds 1


@dataclass(frozen=True)
class ExportReport:
    """What was written. `max_abs_difference`: logits of onnxruntime against torch over the check's images."""

    path: Path
    opset: int
    operators: Mapping[str, int]
    bytes: int
    max_abs_difference: float


def export_onnx(model: nn.Module, size: int, path: Path) -> ExportReport:
    """Write `model` as ONNX: `image` float32 `[1,3,size,size]` to `logits` float32 `[1,K]`, weights inside the file.

    Batch norm is folded into the convolutions. The file holds no path, time or stack trace of this machine. The model
    is not changed. Raises EdgeError when onnxruntime's logits differ from torch's by more than 1e-4 (of the largest
    logit where that exceeds 1); nothing is written then.
    """
    model = copy.deepcopy(model).cpu().eval()
    proto = ir.to_proto(_cleaned(_exported(model, size)))
    data = proto.SerializeToString(deterministic=True)
    difference = _difference(model, data, size)
    write_atomic(path, data)
    operators = dict(sorted(Counter(node.op_type for node in proto.graph.node).items()))
    return ExportReport(path, OPSET, operators, len(data), difference)


def _exported(model: nn.Module, size: int) -> onnx.ModelProto:
    """torch's own exporter, kept quiet: it reports progress and harmless conversions on several channels."""
    example = torch.zeros(1, 3, size, size)
    with _quiet():
        program = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise EdgeError("torch.onnx.export returned no program: the dynamo exporter of torch 2.9 or later is needed")
    return program.model_proto


def _cleaned(proto: onnx.ModelProto) -> ir.Model:
    """The simplified graph without what torch notes about the source code: stack traces, module paths, doc strings."""
    simplified, valid = onnxsim.simplify(proto)
    if not valid:
        raise EdgeError("onnxsim changed what the exported graph computes: please report the network and the versions")
    model: ir.Model = ir.from_proto(simplified)
    model.metadata_props.clear()
    model.doc_string = model.graph.doc_string = None
    model.graph.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()):
        _forget_source(value)
    for node in model.graph:
        _forget_source(node)
        for value in node.outputs:
            _forget_source(value)
    return model


def _forget_source(item: ir.Node | ir.Value) -> None:
    item.metadata_props.clear()
    item.doc_string = None


def _difference(model: nn.Module, data: bytes, size: int) -> float:
    """Largest absolute difference of the logits over random and extreme images. Raises EdgeError above TOLERANCE."""
    session = onnxruntime.InferenceSession(data, _session_options(), providers=["CPUExecutionProvider"])
    worst = 0.0
    for image in _check_images(size):
        with torch.no_grad():
            expected = model(torch.from_numpy(image)).numpy()
        found = session.run([OUTPUT], {INPUT: image})[0]
        difference = float(np.abs(found - expected).max())
        limit = TOLERANCE * max(1.0, float(np.abs(expected).max()))
        if not difference <= limit:
            raise EdgeError(
                f"the ONNX file's logits differ from torch's by {difference:.2g}, {limit:.2g} is accepted: "
                f"torch says {expected.ravel()[:4]}, onnxruntime {found.ravel()[:4]}"
            )
        worst = max(worst, difference)
    return worst


def _check_images(size: int) -> Iterator[NDArray[np.float32]]:
    """Network inputs `[1,3,size,size]`: noise, black, white, grey, and the sharpest edges that pixels can make."""
    rng = np.random.default_rng(0)
    shape = (1, 3, size, size)
    images = [rng.integers(0, 256, shape) for _ in range(4)]
    images += [np.full(shape, level) for level in (0, 128, 255)]
    images += [255 * rng.integers(0, 2, shape), np.broadcast_to(np.arange(size) % 2 * 255, shape)]
    for pixels in images:
        yield normalize(pixels.astype(np.uint8).transpose(0, 2, 3, 1), Preprocessing(size)).transpose(0, 3, 1, 2).copy()


def _session_options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what torch.onnx prints, warns and logs below an error."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
