"""Options: the command line that makes a build again."""

import math
import shlex
from dataclasses import fields, replace
from typing import Any

import pytest
from click.testing import CliRunner

from melanoma_edge import cli, flags, registry, targets
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
from melanoma_edge.targets.android import AndroidOptions
from melanoma_edge.targets.web import WebOptions


def test_defaults_are_not_spelled() -> None:
    words = spell("build", {"target": ("tflite", "web")}, DataOptions(), Gates())
    assert words == "melanoma-edge build --target tflite --target web"


def test_options_inside_options_and_those_of_targets_arrive_in_their_place() -> None:
    seen = []

    @cli.cli.command(name="nested")
    @flags.takes("compiling", CompileOptions)
    @flags.takes_targets
    def nested(compiling, wanted):  # type: ignore[no-untyped-def]
        seen.append((compiling, wanted))

    given = CompileOptions(QuantizeOptions("static"), ProofOptions(margin=0.02), files=FileOptions(heat_map=True))
    android = replace(targets.named("android"), options=AndroidOptions(android_float=True))
    web = replace(targets.named("web"), options=WebOptions(web_models="all", browser="none"))
    try:
        spelled = (*vars(given).values(), android.options, web.options)
        words = shlex.split(spell("nested", {"target": ("web", "android")}, *spelled))
        result = CliRunner().invoke(cli.cli, words[1:], catch_exceptions=False)
    finally:
        cli.cli.commands.pop("nested")
    assert result.exit_code == 0, result.output
    assert {"--heat-map", "--android-float", "--web-models"} <= set(words)
    assert seen == [(given, (web, android))]


@pytest.mark.parametrize("command", ["build", "compile"])
@pytest.mark.parametrize("target", [t for t in targets.known() if fields(t.options)], ids=lambda target: target.name)
def test_an_option_of_a_target_that_is_not_asked_for_is_refused(target: targets.Target[Any], command: str) -> None:
    other = next(name for name in registry.names(targets.ROOM) if name != target.name)
    for f in fields(target.options):
        flag = f"--{f.name.replace('_', '-')}"
        value = [] if f.default is False else [str(f.default)]  # refused even with the value that it has anyway
        with pytest.raises(InputError, match=f"{flag} is for --target {target.name}: found {other}"):
            CliRunner().invoke(cli.cli, [command, "--target", other, flag, *value], catch_exceptions=False)


@pytest.mark.parametrize("command", ["build", "compile"])
def test_help_lists_the_options_of_each_target_by_themselves(command: str) -> None:
    shown = CliRunner().invoke(cli.cli, [command, "--help"]).output
    for target in targets.known():
        title = f"Options of --target {target.name}:"
        assert (title in shown) == bool(fields(target.options))
        for f in fields(target.options):
            assert f"--{f.name.replace('_', '-')}" in shown.partition(title)[2].partition("Options of")[0]
    assert "--target TEXT" in shown.partition("Options of")[0]


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
