from pathlib import Path

import pytest

from melanoma_edge import registry
from melanoma_edge.artifact import Artifact
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.quantize.kernels import KERNELS, RUNTIMES

PACKAGE = "melanoma_edge.targets"
KNOWN = registry.names(PACKAGE)


def made(form: str, precision: str) -> Artifact:
    return Artifact(Path(f"/made/mole_{precision}.{form}"), "0" * 64, form, precision)


PRECISIONS = ("float32", "int8", "weight_only_wi8_afp32")
ALL = [made(form, precision) for form in ("onnx", "tflite") for precision in PRECISIONS]


def test_known_targets_are_the_files_of_the_room():
    assert KNOWN == ("android", "tflite", "web")


def test_unknown_target_answers_with_the_known():
    with pytest.raises(InputError, match="unknown target 'ios': known are android, tflite, web"):
        registry.load(PACKAGE, "ios")


@pytest.mark.parametrize("target", KNOWN)
def test_pack_ships_float32_and_int8_under_the_targets_own_folder(target):
    packed = registry.load(PACKAGE, target).pack(ALL)
    shipped = PRECISIONS if target == "web" else PRECISIONS[:2]
    assert sorted(packed) == sorted(
        f"{target}/mole_{p}{source.suffix}" for p, source in zip(shipped, packed.values(), strict=True)
    )
    for name, source in packed.items():
        assert source.suffix == Path(name).suffix
        assert source.name == Path(name).name


@pytest.mark.parametrize("target", KNOWN)
def test_pack_names_what_was_not_made(target):
    module = registry.load(PACKAGE, target)
    form = module.ARTIFACTS[1].format
    with pytest.raises(EdgeError, match=f"needs int8 {form}.*, and only float32 {form} was made"):
        module.pack([made(form, "float32")])


@pytest.mark.parametrize("target", KNOWN)
def test_every_target_says_which_runtime_judges_it(target):
    assert registry.load(PACKAGE, target).RUNTIMES


def test_the_web_gets_a_float_file_with_small_weights_while_its_integers_are_slow():
    precisions = {place.precision for place in registry.load(PACKAGE, "web").ARTIFACTS}
    assert ("weight_only_wi8_afp32" in precisions) == (not RUNTIMES["onnxruntime-web"].fast)
    assert all(getattr(kernel, r.kernels) for r in RUNTIMES.values() for kernel in KERNELS.values())
