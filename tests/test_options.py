"""Options: the command line that makes a build again."""

import math
import shlex

import pytest
from click.testing import CliRunner

from melanoma_edge import cli, flags
from melanoma_edge.errors import InputError
from melanoma_edge.options import (
    CompileOptions,
    DataOptions,
    FileOptions,
    Gates,
    NetworkOptions,
    ProofOptions,
    QuantizeOptions,
    TrainOptions,
    spell,
)


def test_defaults_are_not_spelled() -> None:
    words = spell("build", {"target": ("tflite", "web")}, DataOptions(), Gates())
    assert words == "melanoma-edge build --target tflite --target web"


def test_options_inside_options_arrive_in_their_place() -> None:
    seen = []

    @cli.cli.command(name="nested")
    @flags.takes("compiling", CompileOptions)
    def nested(compiling):  # type: ignore[no-untyped-def]
        seen.append(compiling)

    given = CompileOptions(
        QuantizeOptions("static"), ProofOptions(margin=0.02), files=FileOptions(heat_map=True, android_float=True)
    )
    try:
        words = shlex.split(spell("nested", {}, *vars(given).values()))
        result = CliRunner().invoke(cli.cli, words[1:], catch_exceptions=False)
    finally:
        cli.cli.commands.pop("nested")
    assert result.exit_code == 0, result.output
    assert {"--heat-map", "--android-float"} <= set(words)
    assert seen == [given]


def test_a_spelled_command_gives_the_same_options() -> None:
    given = (
        DataOptions("folder:my images", task="seven", strict=True, seed=3),
        NetworkOptions("meshnet", image_size=64),
        TrainOptions(epochs=2, lr=0.01),
        ProofOptions("youden"),
        Gates(max_flip_rate=0.5, max_bytes=1000),
    )
    seen = []

    @cli.cli.command(name="spelled")
    @flags.takes("data", DataOptions)
    @flags.takes("network", NetworkOptions)
    @flags.takes("training", TrainOptions)
    @flags.takes("proof", ProofOptions)
    @flags.takes("gates", Gates)
    def spelled(data, network, training, proof, gates):  # type: ignore[no-untyped-def]
        seen.append((data, network, training, proof, gates))

    try:
        words = shlex.split(spell("spelled", {}, *given))
        result = CliRunner().invoke(cli.cli, words[1:], catch_exceptions=False)
    finally:
        cli.cli.commands.pop("spelled")
    assert result.exit_code == 0, result.output
    assert seen == [given]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"frozen_epochs": -1},
        {"patience": 0},
        {"threads": 0},
        {"batch_size": 1},
        {"workers": -1},
        {"averaging": 1.0},
        {"diagnoses": -0.5},
        {"lr": 0.0},
        {"frozen_lr": math.nan},
    ],
)
def test_training_numbers_that_cannot_be_are_refused_at_once(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        TrainOptions(**wrong)  # type: ignore[arg-type]
