"""The runtimes that the one quantised graph is emitted for; which 8-bit kernels they have is told by `operators`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """A runtime that the graph is emitted for. kernels: the field of Kernel that names its operators. fast: whether
    they are faster than its float ones.
    """

    kernels: str
    fast: bool


RUNTIMES: Mapping[str, Runtime] = {
    "litert": Runtime("xnnpack", fast=True),
    "onnxruntime": Runtime("ort", fast=True),
    # XNNPACK in WebAssembly. Without an integer dot product in the browser (it takes a processor with AVX-VNNI, or an
    # ARM one) INT8 takes 0.68 to 0.85 of float's time on five networks, with it less.
    "litert-web": Runtime("xnnpack", fast=True),
    # The same operators and bits as natively, but slower: 1.1 to 1.3 of float's time on MobileNetV2 and V3-Small, 0.6
    # on MeshNet, so browsers get the weight-only file beside it.
    "onnxruntime-web": Runtime("ort", fast=False),
}
