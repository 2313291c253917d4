"""Every registered backbone from torch to both TFLite files: the same numbers, one partition, few bytes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from numpy.typing import NDArray
from onnx_graphs import session
from settled_networks import SIZE, blurred_noise, exported
from tflite_file import partitions, run
from torch import nn

from melanoma_edge import models
from melanoma_edge.data.preprocess import Preprocessing, normalize
from melanoma_edge.export import passes
from melanoma_edge.export.emit import to_bytes
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import minmax


@dataclass(frozen=True)
class Built:
    """One backbone in every form, and the images that its INT8 form was calibrated with, float32 NCHW."""

    network: nn.Module
    parameters: int
    images: NDArray[np.float32]
    float32: bytes
    integer: ir.Model
    int8: bytes

    def answers(self, predict: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Logits `[IMAGES, 2]`."""
        return np.concatenate([predict(image[np.newaxis]) for image in self.images])


@pytest.fixture(scope="module", params=models.names())
def built(request: pytest.FixtureRequest) -> Built:
    pixels, spec = blurred_noise(), Preprocessing(SIZE)
    images = np.ascontiguousarray(normalize(pixels, spec).transpose(0, 3, 1, 2))
    network, data = exported(request.param)
    graph = ir.from_proto(onnx.load_from_string(data))
    passes.apply(graph, "clean")
    float32 = to_bytes(graph, name="float32")
    passes.apply(graph, "integer")
    integer, _ = quantize(graph, pixels, spec, minmax.RECIPE)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Built(network, parameters, images, float32, integer, to_bytes(integer, name="int8"))


def test_float32_gives_what_torch_gives(built: Built) -> None:
    with torch.no_grad():
        expected = built.network(torch.from_numpy(built.images)).numpy()
    for delegate in (True, False):
        found = built.answers(lambda image, d=delegate: run(built.float32, image, delegate=d))  # type: ignore[misc]
        assert np.abs(found - expected).max() < 1e-4 * max(1.0, float(np.abs(expected).max()))


def test_int8_gives_what_the_qdq_graph_gives_far_more_than_float_does(built: Built) -> None:
    with torch.no_grad():
        reference = built.network(torch.from_numpy(built.images)).numpy()
    in_onnxruntime = session(built.integer)
    as_onnx = built.answers(lambda image: np.asarray(in_onnxruntime.run(None, {"image": image})[0]))
    as_tflite = built.answers(lambda image: run(built.int8, image))
    between = np.abs(as_tflite - as_onnx).mean()
    assert between <= 0.6 * np.abs(as_onnx - reference).mean()
    assert between <= 0.6 * np.abs(as_tflite - reference).mean()


def test_the_delegate_takes_each_file_in_one_partition(built: Built) -> None:
    assert partitions(built.float32) == (1, ())
    assert partitions(built.int8) == (1, ())


def test_int8_has_few_bytes(built: Built) -> None:
    assert len(built.int8) <= 1.25 * built.parameters + 40_000


@pytest.mark.slow
@pytest.mark.parametrize("arch", models.names())
def test_int8_is_no_larger_than_what_litert_torch_writes(arch: str) -> None:
    for package in ("litert_torch", "ai_edge_quantizer"):
        pytest.importorskip(package, reason="the peer is an extra: pip install '.[peers]'")
    from sizes import measure

    sizes = measure(arch, with_peer=True)
    assert sizes.peer is not None
    assert sizes.ours <= min(sizes.limit, sizes.peer)
