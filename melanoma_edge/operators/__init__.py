"""The rules: a file for each family of operators with a table `RULES`, from ONNX operator to `Rule`.

To teach the emitter an operator, write a function that emits it and add a line to a table.
"""

from melanoma_edge import registry
from melanoma_edge.tflite.rule import Rule


def rules() -> dict[str, Rule]:
    """Every rule, by ONNX operator."""
    table: dict[str, Rule] = {}
    for family in registry.names(__name__):
        table |= registry.load(__name__, family).RULES
    return table
