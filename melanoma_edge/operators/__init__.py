"""All that the compiler knows of ONNX's operators: a file for each, or for a small family, with a table `OPERATORS`.

Quantiser, passes, emitter and error texts ask here, so an operator is added by adding a file. Importing this room, and
asking it, loads neither torch nor LiteRT.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import onnx_ir as ir

from melanoma_edge import registry
from melanoma_edge.errors import UnsupportedOperatorError
from melanoma_edge.tflite import versions
from melanoma_edge.tflite.builder import Quantization
from melanoma_edge.tflite.emission import Emission

if TYPE_CHECKING:
    from torch import Tensor

Apply: TypeAlias = "Callable[[Sequence[Tensor | None]], Tensor]"
Bounds: TypeAlias = tuple[float, float]
Exactness: TypeAlias = Literal["copy", "element", "sum", "mean", "own"]
Layout: TypeAlias = Literal["image", "same", "free"]
DOMAINS = ("", "ai.onnx")
ALL = None


def never(node: ir.Node, output: Quantization) -> bool:
    """The `takes` of an operator without an 8-bit kernel in TFLite."""
    return False


def always(node: ir.Node, output: Quantization) -> bool:
    """The `takes` of an 8-bit kernel that takes any scale."""
    return True


def accepted(node: ir.Node) -> str:
    """The `refuses` of an operator that is taken in any form."""
    return ""


@dataclass(frozen=True)
class Kernel:
    """8-bit kernels. ort: what ONNX Runtime makes of the node between its Q/DQ pairs (core/optimizer/qdq_transformer),
    "" for none. xnnpack: what TFLite's delegate takes in signed int8. takes: its limits, given the node, all of whose
    data is 8-bit, and the parameters of its output. shares: output and inputs have one scale and zero point. constant:
    operands may be uint8 constants. ratio: limits of the requantisation scale, lower inclusive and upper exclusive
    (input / output for each input, product of all inputs / output where it rounds a product). rounds: what is rounded
    to integers, so that scales have to keep it clear of halves (`quantization.ties`). fixed: scale and zero point
    (uint8) that the kernels give their output.
    """

    ort: str = ""
    xnnpack: tuple[str, ...] = ()
    takes: Callable[[ir.Node, Quantization], bool] = never
    shares: bool = False
    constant: bool = False
    ratio: tuple[float, float] = (0.0, float("inf"))
    rounds: Literal["", "sum", "product", "mean"] = ""
    fixed: tuple[float, int] | None = None

    @property
    def everywhere(self) -> bool:
        """Whether every runtime has one, so that the quantiser uses it. What is not runs in float in between."""
        return bool(self.ort and self.xnnpack)


@dataclass(frozen=True)
class Operator:
    """One operator.

    meaning: of a node as a differentiable torch function of any batch size. write: emits a node as TFLite. tflite: the
    TFLite operators that it writes, with their versions, where no other file states them. refuses: why a node is not
    accepted, found and accepted forms in one sentence; "" when it is.
    data_inputs: how many leading inputs are data, ALL for all; what follows are parameters: bounds, a shape, axes.
    Algebra, of the data: homogeneous: f(a x, a y) = a f(x, y) for a > 0. product: f(a x, y) = a f(x, y). per_channel:
    channel c of the output reads channel c of what it broadcasts alone. moves: makes no number, only puts elements,
    and constants, in other places. keeps_order: moves, and the elements stay in order. weighted: a sum with constant
    weights, inputs 1 and 2 being weights and bias. any_columns: reads a flat vector in whatever order its weights are
    in. bounds: what a node clamps to, for a clamp.
    exact, in float: "copy": no arithmetic. "element": one IEEE 754 operation an element. "sum", "mean": exact on grids
    (`quantization.grids`). "own": the last bit is each runtime's own.
    layout, of 4-D data: "image": NHWC in TFLite. "same": inputs and output lie alike. "free": each as it comes.
    fuses: takes a clamp behind it as its fused activation in TFLite.
    """

    meaning: Callable[[ir.Node], Apply]
    write: Callable[[ir.Node, Emission], None]
    tflite: Mapping[str, versions.Versions] = field(default_factory=dict)
    refuses: Callable[[ir.Node], str] = accepted
    data_inputs: int | None = 1
    homogeneous: bool = False
    product: bool = False
    per_channel: bool = False
    moves: bool = False
    keeps_order: bool = False
    weighted: bool = False
    any_columns: bool = False
    bounds: Callable[[ir.Node], Bounds | None] | None = None
    exact: Exactness = "own"
    kernel: Kernel = Kernel()
    layout: Layout = "same"
    fuses: bool = False


def _no_meaning(node: ir.Node) -> Apply:
    raise ValueError(f"{node.op_type} is not in the table")


UNKNOWN = Operator(_no_meaning, lambda node, e: None, data_inputs=ALL, layout="free")


@cache
def table() -> Mapping[str, Operator]:
    """Every operator by its ONNX name, in alphabetical order."""
    found: dict[str, Operator] = {}
    for name in registry.names(__name__):
        found |= getattr(registry.load(__name__, name), "OPERATORS", {})
    return dict(sorted(found.items()))


@cache
def tflite_versions() -> Mapping[str, versions.Versions]:
    """The versions of all TFLite operators that are written."""
    found = dict(versions.TOOLKIT)
    for operator in table().values():
        found |= operator.tflite
    return found


def of(node: ir.Node) -> Operator:
    """What is known of a node's operator; of an unknown one, that nothing holds (`UNKNOWN`)."""
    return table().get(node.op_type, UNKNOWN) if node.domain in DOMAINS else UNKNOWN


def refusal(node: ir.Node) -> str:
    """Why neither float nor INT8 files take a node, in one sentence; "" when they do."""
    name = node.op_type if node.domain in DOMAINS else f"{node.domain}.{node.op_type}"
    operator = of(node)
    why = f"known operators are {', '.join(table())}" if operator is UNKNOWN else operator.refuses(node)
    return why and f"{name} (node {node.name!r}) is not supported: {why}"


def supported(node: ir.Node) -> Operator:
    """The operator of a node. Raises UnsupportedOperatorError, saying why, for one that is refused."""
    why = refusal(node)
    if why:
        raise UnsupportedOperatorError(why)
    return of(node)


def data(node: ir.Node) -> Sequence[ir.Value | None]:
    """The inputs of a node that are data: not bounds, a shape or axes."""
    return node.inputs[: of(node).data_inputs]


def kernel(node: ir.Node) -> Kernel | None:
    """The 8-bit kernel of a node when every runtime has one."""
    found = of(node).kernel
    return found if found.everywhere else None


def clamp_bounds(node: ir.Node) -> Bounds | None:
    """(lower, upper) of a clamp with constant bounds, infinite where it has none; None for the rest."""
    bounds = of(node).bounds
    return None if bounds is None else bounds(node)
