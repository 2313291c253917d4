"""The float graph with its weights in 8 bits, for runtimes whose integer kernels are slower than their float ones."""

from pathlib import Path

import onnx_ir as ir

from melanoma_edge.artifact import Stage, run_stage
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.progress import Progress
from melanoma_edge.quantization.evidence import ROUNDING_IMAGES
from melanoma_edge.quantization.quantize import evidence_for, scheme_of
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.quantization.weight_only import weight_only
from melanoma_edge.stages.export import MODEL


def run(work: Path, exported: Stage, images: Images, progress: Progress) -> Stage:
    """Leaves model.onnx. Weights are rounded as in the INT8 graph, by a few calibration images; ranges do not count.

    The graph is the float file's: what the passes "integer" take apart for the sake of integer kernels, such as
    hard-swish, has a kernel in float that ONNX Runtime joins with the convolution before it.
    """

    def make(folder: Path) -> None:
        model = ir.load(exported.folder / MODEL)
        few, spec = images.pixels("calibration")[:ROUNDING_IMAGES], Preprocessing(images.size)
        seen = evidence_for(model, few, spec, static.WEIGHTS, progress)
        ir.save(weight_only(*scheme_of(seen, static.WEIGHTS, progress=progress)), folder / MODEL)

    return run_stage(
        work / "weight_only",
        make,
        inputs={"model": exported.sha256(MODEL), "calibration": images.stage.sha256("calibration.npy")},
        code=__name__,
        options={"images": ROUNDING_IMAGES},
        tools=("torch", "numpy", "scipy", "onnx", "onnx-ir"),
    )
