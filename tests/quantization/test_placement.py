import onnx_ir as ir
from hypothesis import given, settings
from onnx_graphs import Builder, networks

from melanoma_edge import operators
from melanoma_edge.export import passes
from melanoma_edge.quantization.affine import SIGMOID, Affine
from melanoma_edge.quantization.placement import Placement, place
from melanoma_edge.quantization.prepare import prepare

IMAGE = Affine(1 / 128, 128)


def placed(
    model: ir.Model, *, float_head: bool = False, float_nodes: tuple[str, ...] = ()
) -> tuple[ir.Model, Placement]:
    prepared = prepare(model)
    return prepared, place(prepared, image=IMAGE, float_head=float_head, float_nodes=float_nodes)


def in_float(model: ir.Model, placement: Placement) -> list[str]:
    return [node.op_type for node in model.graph if node.name not in placement.integer]


def named(model: ir.Model, operator: str) -> list[ir.Node]:
    return [node for node in model.graph if node.op_type == operator]


def residual_block() -> Builder:
    b = Builder((1, 3, 8, 8))
    x = b.op("Clip", b.conv(b.image, 4, 3), b.const(0), b.const(6))
    x = b.op("Add", b.op("Relu", b.conv(x, 4)), x)
    b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2))
    return b


def test_everything_with_a_kernel_is_placed_and_the_head_stays_in_float() -> None:
    model, placement = placed(residual_block().model, float_head=True)
    assert in_float(model, placement) == ["GlobalAveragePool", "Flatten", "Gemm"]
    assert placement.groups["image"] in placement.fixed and placement.fixed["image"] == IMAGE
    model, placement = placed(residual_block().model)
    assert in_float(model, placement) == []
    assert "logits" in placement.groups


def test_only_the_output_of_a_removed_activation_is_quantised() -> None:
    model, placement = placed(residual_block().model)
    for node in named(model, "Conv"):
        assert node.outputs[0].name not in placement.groups
    clip = named(model, "Clip")[0].outputs[0].name
    assert placement.bounds[placement.groups[clip]] == (0, 6)


def test_an_activation_of_a_value_that_others_read_runs_in_float() -> None:
    b = Builder((1, 3, 8, 8))
    x = b.conv(b.image, 4)
    model, placement = placed(b.done(b.conv(b.op("Add", b.op("Relu", x), x), 2)))
    assert in_float(model, placement) == ["Relu"]
    assert named(model, "Conv")[0].outputs[0].name in placement.groups


def test_pools_reshapes_and_concatenations_share_parameters() -> None:
    b = Builder((1, 3, 8, 8))
    first = b.op("MaxPool", b.op("Relu", b.conv(b.image, 4)), kernel_shape=[2, 2], strides=[2, 2])
    second = b.op("Relu", b.conv(b.image, 2, strides=[2, 2]))
    joined = b.op("Concat", first, second, axis=1)
    model, placement = placed(b.done(b.linear(b.op("Flatten", joined), 2)))
    shared = {placement.groups[str(v.name)] for v in (first, joined, second)}
    assert len(shared) == 1 and placement.groups[str(named(model, "Flatten")[0].outputs[0].name)] in shared
    assert len([v for v in placement.sources if placement.groups[v] in shared]) == 2


def test_a_concatenation_of_what_cannot_share_runs_in_float() -> None:
    b = Builder((1, 3, 8, 8))
    x = b.conv(b.image, 4)
    joined = b.op("Concat", b.op("Clip", x, b.const(0), b.const(6)), b.op("Sigmoid", b.conv(b.image, 4)), axis=1)
    model, placement = placed(b.done(b.conv(joined, 2)))
    assert in_float(model, placement) == ["Concat"]
    gate = named(model, "Sigmoid")[0].outputs[0].name
    assert placement.fixed[placement.groups[gate]] == SIGMOID


def test_an_operator_between_float_operators_is_not_quantised_for_nothing() -> None:
    b = Builder((1, 3, 8, 8))
    x = b.conv(b.image, 4)
    y = b.op("Relu", b.op("Add", b.conv(x, 4), x))
    model = b.done(b.conv(y, 2))
    names = [str(n.name) for n in named(prepare(model), "Conv")]
    prepared, placement = placed(model, float_nodes=tuple(names[:2]))
    assert in_float(prepared, placement) == ["Conv", "Conv", "Add", "Relu"]


def test_constant_operands_are_quantised_and_shapes_are_not() -> None:
    b = Builder((1, 3, 8, 8))
    x = b.op("Mul", b.conv(b.image, 4), b.random(4, 1, 1))
    model, placement = placed(b.done(b.linear(b.op("Reshape", x, b.const([1, -1], int)), 2)))
    assert placement.constants == {named(model, "Mul")[0].inputs[1].name}  # type: ignore[union-attr]


@settings(max_examples=40)
@given(model=networks())
def test_integer_operators_read_and_write_quantised_values_only(model: ir.Model) -> None:
    passes.apply(model, "clean")
    passes.apply(model, "integer")
    prepared, placement = placed(model, float_head=True)
    for node in prepared.graph:
        if node.name not in placement.integer:
            continue
        assert operators.kernel(node) or operators.clamp_bounds(node)
        read = [v for v in node.inputs if v is not None and v.const_value is None]
        if operators.kernel(node):
            assert all(v.name in placement.groups for v in read)
        consumers = node.outputs[0].consumers()
        removed = [c for c in consumers if operators.clamp_bounds(c) and c.name in placement.integer]
        assert node.outputs[0].name in placement.groups or len(consumers) == len(removed) == 1
    for name, group in placement.groups.items():
        assert group in placement.groups, name
        assert group in placement.fixed or any(placement.groups[s] == group for s in placement.sources)


def test_a_sum_between_integer_operators_is_an_integer_one_whatever_was_asked() -> None:
    b = Builder((1, 3, 8, 8))
    x = b.conv(b.image, 4)
    x = b.op("Clip", b.op("Add", b.conv(x, 4), x), b.const(0), b.const(6))
    model = prepare(b.done(b.conv(b.conv(x, 4), 4)))
    names = {n.op_type: str(n.name) for n in model.graph}
    asked = (names["Add"], names["Clip"])
    around = place(model, image=Affine(1 / 128, 128), float_head=False, float_nodes=asked)
    assert set(asked) <= around.integer
    reader = next(
        str(n.name)
        for n in model.graph
        if n.inputs[0] is not None and n.inputs[0].producer() is not None and n.inputs[0].producer().op_type == "Clip"
    )
    kept = place(model, image=Affine(1 / 128, 128), float_head=False, float_nodes=(*asked, reader))
    assert not set(asked) & kept.integer
