"""Every target of the room: its name, what it takes, its options, and where its files go."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from melanoma_edge import formats, registry, targets
from melanoma_edge.artifact import Artifact
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.quantization.kernels import RUNTIMES
from melanoma_edge.quantization.weight_only import NAME as WEIGHT_ONLY

KNOWN = registry.names(targets.ROOM)
PRECISIONS = ("float32", "int8", WEIGHT_ONLY)
FILES = [
    Artifact(Path(f"/made/mole_{precision}{form.suffix}"), "0" * 64, form.name, precision)
    for form in formats.written()
    for precision in PRECISIONS
]


@pytest.mark.parametrize("name", KNOWN)
def test_a_target_is_its_file_and_says_what_it_takes(name: str) -> None:
    target = targets.named(name)
    assert target.name == name
    assert {"float32", "int8"} <= {place.precision for place in target.places}
    for place in target.places:
        assert place.format in formats.written() and place.precision in PRECISIONS
    assert target.package is None or len(target.parts()) == 64


@pytest.mark.parametrize("name", KNOWN)
def test_its_options_are_its_own_and_have_help(name: str) -> None:
    options = targets.named(name).options
    assert is_dataclass(options)
    others = [f.name for other in KNOWN if other != name for f in fields(targets.named(other).options)]
    for f in fields(options):
        assert f.metadata["help"] and f.name not in others


@pytest.mark.parametrize("name", KNOWN)
def test_its_defaults_ask_for_no_tool(name: str) -> None:
    assert targets.missing([targets.named(name)]) == []


@pytest.mark.parametrize("name", KNOWN)
def test_files_go_below_the_targets_own_folder_by_their_names(name: str) -> None:
    target = targets.named(name)
    packed: Mapping[str, Path] = targets.pack(target, FILES)
    placed = [place for place in target.places if place.alone]
    assert packed == {f"{name}/{a.path.name}": a.path for p in placed for a in FILES if p.takes(a)}
    assert len(packed) == len(placed) > 0


@pytest.mark.parametrize("name", KNOWN)
def test_what_was_not_made_is_named(name: str) -> None:
    target = targets.named(name)
    first, *others = target.places
    made = [a for a in FILES if first.takes(a)]
    lacking = ", ".join(f"{place.precision} {place.format.name}" for place in others)
    with pytest.raises(EdgeError, match=f"needs {lacking}, and only {first.precision} {first.format.name} was made"):
        targets.pack(target, made)


def test_unknown_targets_are_answered_with_the_known() -> None:
    with pytest.raises(InputError, match=f"unknown target 'ios': known are {', '.join(KNOWN)}"):
        targets.choose(["tflite", "ios"])


def test_a_target_asked_for_twice_is_one_and_keeps_its_options() -> None:
    web = targets.named("web")
    own = replace(web, options=replace(web.options, browser="none"))
    assert targets.choose(["tflite", "web", "tflite", own]) == (targets.named("tflite"), own)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"browser": "/no/chromium"}, "--browser /no/chromium is no program"),
        ({"browser": "{program}", "node_modules": "{folder}"}, "neither of the runtimes: npm install"),
    ],
)
def test_a_tool_that_was_asked_for_and_is_not_there_is_one_line(
    wrong: dict[str, Any], said: str, tmp_path: Path
) -> None:
    given = {name: text.format(program=sys.executable, folder=tmp_path) for name, text in wrong.items()}
    web = targets.named("web")
    (line,) = targets.missing([replace(web, options=replace(web.options, **given))])
    assert said in line and "\n" not in line


def test_the_web_gets_a_float_file_with_small_weights_while_its_integers_are_slow() -> None:
    precisions = {place.precision for place in targets.named("web").places}
    assert (WEIGHT_ONLY in precisions) == (not RUNTIMES["onnxruntime-web"].fast)


def test_the_command_line_knows_every_target_without_loading_anything_heavy() -> None:
    code = (
        "import sys\nfrom melanoma_edge import targets\nprint(*(t.name for t in targets.known()))\n"
        "print(sorted({'numpy', 'onnx', 'onnx_ir', 'onnxruntime', 'torch', 'PIL'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [" ".join(KNOWN), "[]"]
