"""Every format of the room: its name, its file, and what a graph becomes in it."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from small_network import IMAGES, SPEC, mobile

from melanoma_edge import formats, registry
from melanoma_edge.bench import profilers
from melanoma_edge.errors import InputError
from melanoma_edge.quantization.kernels import RUNTIMES
from melanoma_edge.quantization.quantize import quantize
from melanoma_edge.quantization.quantizers import static
from melanoma_edge.runtime import arm64_answer

WRITTEN = [form.name for form in formats.written()]


@pytest.mark.parametrize("name", registry.names(formats.ROOM))
def test_a_format_is_its_file_and_its_suffix(name: str) -> None:
    form = formats.named(name)
    assert form.name == name
    assert formats.of(Path(f"a{form.suffix}")) is form
    assert form.package in form.engine().versions() and form.engine().available() is None


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_has_a_runtime_a_profiler_an_emulation_and_an_example(name: str) -> None:
    form = formats.named(name)
    assert {form.runtime, form.in_browser} - {None} <= set(RUNTIMES)
    assert form.runtime in registry.names(profilers.ROOM)
    assert form.runtime in arm64_answer.RUNTIMES
    assert files("melanoma_edge.report").joinpath("templates", f"run_{name}.py.txt").is_file()


@pytest.mark.parametrize("quantized", [False, True])
def test_the_files_of_every_format_answer_alike_and_the_graph_stays(quantized: bool, tmp_path: Path) -> None:
    model = mobile()
    if quantized:
        model, _ = quantize(model, IMAGES, SPEC, static.RECIPE)
    before = ir.to_proto(model).SerializeToString()
    answers = []
    for form in formats.written():
        formats.write(model, tmp_path / f"small{form.suffix}")
        answers.append(formats.load(tmp_path / f"small{form.suffix}", SPEC)(IMAGES))
    assert ir.to_proto(model).SerializeToString() == before
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=0 if quantized else 1e-5)


@pytest.mark.parametrize("name", ["small.pb", "small.safetensors"])
def test_no_other_suffix_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"{name}: written are \.onnx and \.tflite"):
        formats.write(mobile(), tmp_path / name)
    assert not list(tmp_path.iterdir())
