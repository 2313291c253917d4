"""HardSwish: x * relu6(x + 3) / 6. No 8-bit kernel; the pass `hard_swish` writes it as operators that have one."""

from melanoma_edge.operators import Operator, _unary

OPERATORS = {
    "HardSwish": Operator(
        _unary.meaning("hardswish"),
        _unary.write("HARD_SWISH"),
        {"HARD_SWISH": ((1, "1.15.0"), None)},
        per_channel=True,
    )
}
