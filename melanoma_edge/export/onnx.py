"""torch to ONNX: one static image in, logits out, cleaned, checked against torch; equal weights give equal bytes."""

import copy
import io
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
import onnx_ir as ir
import onnxruntime
import onnxsim
import torch
from numpy.typing import NDArray
from torch import nn

from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.preprocess import Normalization, Scaling, normalize
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.export.names import give
from melanoma_edge.export.report import ExportReport
from melanoma_edge.export.session import opened, refusals

OPSET = 18
IR_VERSION = 10  # of ONNX 1.16: a newer one adds nothing that is used here, and older runtimes refuse it
INPUT, OUTPUT = "image", "logits"
TOLERANCE = 1e-4  # of the largest logit where that exceeds 1
FOLDED_TOLERANCE = 1e-3  # likewise: other weights round otherwise, and deep networks amplify that
SUMS_TO_ONE = 1e-3


Shape = tuple[int, int, int]  # of an image: channels, height, width
Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Images = Iterable[NDArray[np.float32]]


def export_onnx(model: nn.Module, image: int | Shape, path: Path) -> ExportReport:
    """Write `model` as ONNX: `image` float32 `[1,C,H,W]` to `logits` float32 `[1,K]`, weights inside the file.

    image: C, H and W, or the side of a square image of three channels.
    Batch norm is folded into the convolutions. The file holds no path, time or stack trace of this machine. The model
    is not changed. Raises InputError for a module that does not take such an image or cannot be exported, and EdgeError
    when onnxruntime's logits differ from torch's by more than 1e-4 (of the largest logit where that exceeds 1); nothing
    is written then.
    """
    network = copy.deepcopy(model).cpu().eval()
    shape = (3, image, image) if isinstance(image, int) else image

    def logits(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            values: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
        return values

    return _publish(_exported(network, shape), logits, shape, Normalization(), path)


def clean(source: Path, path: Path, image: Shape, own: Scaling) -> ExportReport:
    """Write someone else's ONNX classifier as `export_onnx` would have: same names, opset 18, simplified, batch of one.

    source: a file as `check.read_network` accepts it, for images of this shape. own: the normalisation of its input,
    which the result keeps.
    Raises InputError when ONNX Runtime refuses it, or when its outputs are probabilities or not finite, and EdgeError
    when the result does not compute what the source does.
    """
    proto = onnx.load(source)
    proto.ir_version = min(proto.ir_version, IR_VERSION)
    logits = _logits(source)
    _check_answers(source, np.concatenate([logits(batch) for batch in _check_images(image, own)]))
    _drop_weights_from_inputs(proto)
    if next(entry.version for entry in proto.opset_import if entry.domain in {"", "ai.onnx"}) < OPSET:
        proto = onnx.version_converter.convert_version(proto, OPSET)
    return _publish(proto, logits, image, own, path)


def save(proto: onnx.ModelProto, path: Path) -> None:
    """Write a network whole or not at all; the same one gives the same bytes."""
    write_atomic(path, proto.SerializeToString(deterministic=True))


def folded_difference(source: Path, image: Shape, own: Scaling, model: ir.Model) -> float:
    """Largest difference of the logits of `source`, whose input is normalised as `own`, to those of `model`,
    which takes (pixel - 128) / 128, on noise and on extreme images. Raises EdgeError above FOLDED_TOLERANCE of the
    largest logit.
    """
    given, shipped = _check_images(image, own), _check_images(image, Normalization())
    return _difference(_logits(source), given, ir.to_proto(model).SerializeToString(), shipped, FOLDED_TOLERANCE)


def _logits(source: Path) -> Logits:
    """What a file answers in ONNX Runtime."""
    session = _session(source.read_bytes(), source)
    (taken,) = session.get_inputs()

    def logits(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with refusals(source):
            values: NDArray[np.float32] = session.run(None, {taken.name: batch})[0]
        return values

    return logits


def _check_answers(source: Path, answers: NDArray[np.float32]) -> None:
    """Refuse what cannot be logits, `[N, K]`, whatever operators made it."""
    if not np.isfinite(answers).all():
        raise InputError(
            f"{source} answers {answers[~np.isfinite(answers)][0]} to an image of noise: its output must be finite "
            "logits; look for a division by zero, a logarithm or a batch norm of negative variance"
        )
    if np.all((answers >= 0) & (answers <= 1)) and np.all(np.abs(answers.sum(axis=1) - 1) < SUMS_TO_ONE):
        raise InputError(
            f"{source} gives probabilities: on every image its outputs lie within [0, 1] and sum to 1, e.g. "
            f"{answers[0][:4].tolist()}. Bring the network without the softmax that it computes at its end"
        )


def _drop_weights_from_inputs(proto: onnx.ModelProto) -> None:
    """Older files list their weights among the inputs, in any order, where a caller might replace them."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    del proto.graph.input[:]
    proto.graph.input.extend(inputs)


def _publish(proto: onnx.ModelProto, logits: Logits, image: Shape, scaling: Scaling, path: Path) -> ExportReport:
    """Clean, compare with the source's `logits` on images of this scaling, write."""
    cleaned = ir.to_proto(_cleaned(proto, image))
    data = cleaned.SerializeToString(deterministic=True)
    images = list(_check_images(image, scaling))
    difference = _difference(logits, images, data, images, TOLERANCE)
    write_atomic(path, data)
    operators = dict(sorted(Counter(node.op_type for node in cleaned.graph.node).items()))
    opset = next(entry.version for entry in cleaned.opset_import if entry.domain in {"", "ai.onnx"})
    return ExportReport(opset, operators, len(data), difference)


def _exported(model: nn.Module, image: Shape) -> onnx.ModelProto:
    """torch's own exporter, kept quiet: it reports progress and harmless conversions on several channels."""
    example = torch.zeros(1, *image)
    try:
        with _quiet():
            with torch.no_grad():
                model(example)  # whose own words are clearer than the exporter's
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
    except (RuntimeError, TypeError, ValueError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise InputError(f"{type(model).__name__} cannot be exported for float32 {[1, *image]}: {reason}") from error
    if program is None:
        raise EdgeError("torch.onnx.export returned no program: the dynamo exporter of torch 2.9 or later is needed")
    return program.model_proto


def _cleaned(proto: onnx.ModelProto, image: Shape) -> ir.Model:
    """The simplified graph without what exporters note about source code: stack traces, module paths, doc strings."""
    try:
        simplified, valid = onnxsim.simplify(proto, overwrite_input_shapes={proto.graph.input[0].name: [1, *image]})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"onnxsim cannot read the network: {reason:.300}; export it anew, with a later opset"
        ) from None
    if not valid:
        raise EdgeError("onnxsim changed what the graph computes: please report the network and the versions")
    model: ir.Model = ir.from_proto(simplified)
    give(model.graph, INPUT, OUTPUT)
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


def _difference(logits: Logits, given: Images, data: bytes, shipped: Images, tolerance: float) -> float:
    """Largest difference of the logits of a file to the source's over the same images, as the source takes them and as
    the file does. EdgeError above `tolerance`.
    """
    session = _session(data, "the ONNX file")
    worst = 0.0
    for source_input, file_input in zip(given, shipped, strict=True):
        expected, found = logits(source_input), session.run([OUTPUT], {INPUT: file_input})[0]
        difference = float(np.abs(found - expected).max())
        limit = tolerance * max(1.0, float(np.abs(expected).max()))
        if not difference <= limit:
            raise EdgeError(
                f"the ONNX file's logits differ from the source's by {difference:.2g}, {limit:.2g} is accepted: "
                f"the source says {expected.ravel()[:4]}, the file {found.ravel()[:4]}"
            )
        worst = max(worst, difference)
    return worst


def _check_images(image: Shape, scaling: Scaling) -> Iterator[NDArray[np.float32]]:
    """Network inputs `[1,C,H,W]`: noise, black, white, grey, and the sharpest edges that pixels can make."""
    rng = np.random.default_rng(0)
    shape = (1, *image)
    images = [rng.integers(0, 256, shape) for _ in range(4)]
    images += [np.full(shape, level) for level in (0, 128, 255)]
    images += [255 * rng.integers(0, 2, shape), np.broadcast_to(np.arange(image[2]) % 2 * 255, shape)]
    for pixels in images:
        yield normalize(pixels.astype(np.uint8).transpose(0, 2, 3, 1), scaling).transpose(0, 3, 1, 2).copy()


def _session(data: bytes, name: Path | str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return opened(data, name, options, ["CPUExecutionProvider"])


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
