"""One graph, two files: each is what its runtime takes, and the graph stays."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from small_network import IMAGES, SPEC, mobile

from melanoma_edge import runtime
from melanoma_edge.export.write import write
from melanoma_edge.quantize.quantize import quantize
from melanoma_edge.quantize.quantizers import static


@pytest.mark.parametrize("quantized", [False, True])
def test_both_files_answer_alike_and_the_graph_stays(quantized: bool, tmp_path: Path) -> None:
    model = mobile()
    if quantized:
        recipe = static.RECIPE
        model, _ = quantize(model, IMAGES, SPEC, recipe)
    before = ir.to_proto(model).SerializeToString()
    for suffix in ("tflite", "onnx"):
        write(model, tmp_path / f"small.{suffix}")
    assert ir.to_proto(model).SerializeToString() == before
    lite, onnx = (runtime.load(tmp_path / f"small.{suffix}", SPEC)(IMAGES) for suffix in ("tflite", "onnx"))
    np.testing.assert_allclose(lite, onnx, atol=0 if quantized else 1e-5)


def test_no_other_suffix(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"small\.pb: written are \.tflite and \.onnx"):
        write(mobile(), tmp_path / "small.pb")
    assert not list(tmp_path.iterdir())
