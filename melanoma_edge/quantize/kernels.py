"""Which operators have an integer kernel in every runtime that the one quantised graph is emitted for.

ORT: the operators that ONNX Runtime's CPU provider fuses Q/DQ pairs into (onnxruntime/core/optimizer/qdq_transformer,
and the com.microsoft QLinear* contrib operators). XNNPACK: what the TFLite delegate takes in signed INT8, and the
limits of `xnnpack_delegate.cc` and of XNNPACK's quantised operators. What is missing here runs in float between a
dequantize and a quantize: HardSwish, HardSigmoid, Tanh and Sub have no kernel in ORT, AVERAGE_POOL_2D and SOFTMAX none
in XNNPACK.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MANY = 1 << 16


@dataclass(frozen=True)
class Kernel:
    """An operator's integer kernels.

    weighted: has constant int8 weights and an int32 bias. shares: output and inputs have one scale and zero point.
    constant: operands may be uint8 constants. max_inputs: tensors taken at most. ratio: limits of the
    requantisation scale, lower inclusive and upper exclusive (input / output for each input, product of all inputs /
    output if `product`).
    """

    ort: str
    xnnpack: tuple[str, ...]
    weighted: bool = False
    shares: bool = False
    constant: bool = False
    max_inputs: int = 1
    ratio: tuple[float, float] = (0.0, float("inf"))
    product: bool = False


KERNELS = {
    "Conv": Kernel("QLinearConv", ("CONV_2D", "DEPTHWISE_CONV_2D"), weighted=True, ratio=(2.0**-32, 2.0**8)),
    "Gemm": Kernel("QGemm", ("FULLY_CONNECTED",), weighted=True, ratio=(2.0**-32, 2.0**8)),
    "Add": Kernel("QLinearAdd", ("ADD",), constant=True, max_inputs=2, ratio=(2.0**-10, 2.0**8)),
    "Mul": Kernel("QLinearMul", ("MUL",), constant=True, max_inputs=2, ratio=(2.0**-16, 2.0**8), product=True),
    "Sigmoid": Kernel("QLinearSigmoid", ("LOGISTIC",)),
    "GlobalAveragePool": Kernel("QLinearGlobalAveragePool", ("MEAN",), ratio=(2.0**-32, 2.0**8)),
    "MaxPool": Kernel("MaxPool", ("MAX_POOL_2D",), shares=True),
    "Concat": Kernel("QLinearConcat", ("CONCATENATION",), shares=True, constant=True, max_inputs=MANY),
    "Reshape": Kernel("Reshape", ("RESHAPE",), shares=True),
    "Flatten": Kernel("Flatten", ("RESHAPE",), shares=True),
}
SATURATIONS = ("Relu", "Clip")  # no integer kernel of their own: the QuantizeLinear after them clips


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
