import importlib.metadata
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from melanoma_edge.errors import InputError
from melanoma_edge.runtime import litert


def install(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Make exactly these packages look installed."""
    modules = {litert.PACKAGES[name][0] for name in packages}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name in modules else None)
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"{name} version")


@pytest.mark.parametrize(
    ("packages", "chosen"),
    [
        (("tensorflow", "tflite-runtime", "ai-edge-litert"), "ai-edge-litert"),
        (("tensorflow", "tflite-runtime"), "tflite-runtime"),
        (("tensorflow",), "tensorflow"),
    ],
)
def test_the_first_installed_package_serves(monkeypatch: pytest.MonkeyPatch, packages, chosen: str):
    install(monkeypatch, *packages)
    assert litert.installed()[0] == chosen
    assert litert.version() == f"{chosen} version"
    assert litert.available() is None


def test_a_package_can_be_forced(monkeypatch: pytest.MonkeyPatch, tflite_file, pixels):
    """tflite-runtime has the same Interpreter; here it is ai-edge-litert's under the other name."""
    from ai_edge_litert.interpreter import Interpreter

    wanted = litert.load(tflite_file)(pixels)
    module = ModuleType("tflite_runtime.interpreter")
    monkeypatch.setattr(module, "Interpreter", Interpreter, raising=False)
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", module)
    install(monkeypatch, "ai-edge-litert", "tflite-runtime")
    predict = litert.load(tflite_file, package="tflite-runtime")
    assert (predict.runtime, predict.version) == ("tflite-runtime", "tflite-runtime version")
    np.testing.assert_array_equal(predict(pixels), wanted)


def test_a_distribution_of_another_name_may_provide_the_module(monkeypatch: pytest.MonkeyPatch):
    def version(name: str) -> str:
        if name != "tensorflow-cpu":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.21"

    install(monkeypatch, "tensorflow")
    monkeypatch.setattr("importlib.metadata.version", version)
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: {"tensorflow": ["tensorflow-cpu"]})
    assert litert.version() == "2.21"


def test_unknown_and_missing_packages_are_refused(monkeypatch: pytest.MonkeyPatch, tflite_file):
    install(monkeypatch, "ai-edge-litert")
    with pytest.raises(InputError, match="tensorflow is not installed: pip install tensorflow"):
        litert.load(tflite_file, package="tensorflow")
    with pytest.raises(InputError, match="unknown TFLite package 'tflite': known are ai-edge-litert"):
        litert.load(tflite_file, package="tflite")
    install(monkeypatch)
    with pytest.raises(InputError, match="none of ai-edge-litert, tflite-runtime, tensorflow is installed"):
        litert.version()


def test_an_interpreter_that_fails_to_allocate_is_bad_input(monkeypatch: pytest.MonkeyPatch, tflite_file):
    def refuse(**_: object) -> SimpleNamespace:
        def allocate_tensors() -> None:
            raise RuntimeError("Encountered unresolved custom op:\n X")

        return SimpleNamespace(allocate_tensors=allocate_tensors)

    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter", refuse)
    with pytest.raises(InputError, match="unresolved custom op: X"):
        litert.load(tflite_file)


@pytest.mark.slow
def test_tensorflows_own_interpreter_agrees(tflite_file, pixels):
    pytest.importorskip("tensorflow", reason="needs the tensorflow extra")
    np.testing.assert_allclose(
        litert.load(tflite_file, package="tensorflow")(pixels), litert.load(tflite_file)(pixels), atol=1e-5
    )
