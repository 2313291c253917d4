"""All that is wrong is said at once, before an image is read, and nothing stays of a build that was refused."""

from pathlib import Path
from types import SimpleNamespace

import onnx_ir as ir
import pytest
from onnx_graphs import Builder

from melanoma_edge import pipeline, preflight
from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.errors import InputError
from melanoma_edge.options import (
    CompileOptions,
    DataOptions,
    FileOptions,
    NetworkOptions,
    ProofOptions,
    QuantizeOptions,
    TrainOptions,
)

PLAIN = Normalization()


def network(folder: Path, *, classes: int = 2, operator: str = "Relu", two_layers: bool = False) -> Path:
    b = Builder((1, 3, 16, 16))
    x = b.op(operator, b.conv(b.image, 4, 3))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    x = b.op("Relu", b.linear(x, 5)) if two_layers else x
    ir.save(b.done(b.linear(x, classes)), folder / "net.onnx")
    return folder / "net.onnx"


def refused(folder: Path, given: Path, options: CompileOptions, **more: str) -> str:
    """What `compile` says. No image can have been read: the folder of the dataset does not even hold any."""
    data = DataOptions(data=f"folder:{folder / 'nowhere'}")
    with pytest.raises(InputError) as caught:
        pipeline.compile_network(folder / "out", ["tflite"], given, PLAIN, data, options, **more)  # type: ignore[arg-type]
    assert not (folder / "out").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_message_lists_all_that_is_wrong(tmp_path: Path) -> None:
    given = network(tmp_path, classes=7, operator="Sin", two_layers=True)
    options = CompileOptions(
        quantizing=QuantizeOptions(quantizer="magic"),
        proof=ProofOptions(operating_point="luck", advice=str(tmp_path / "absent.json")),
        files=FileOptions(heat_map=True),
    )
    message = refused(tmp_path, given, options)
    assert message.startswith("6 things")
    for part in ("'magic'", "'luck'", "absent.json", "7 logits", "--task seven", "Sin", "no exact heat map"):
        assert part in message


def test_an_operator_that_no_file_can_hold_is_refused_before_the_images(tmp_path: Path) -> None:
    assert "Sin" in refused(tmp_path, network(tmp_path, operator="Sin"), CompileOptions())


def test_too_little_disk_says_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: SimpleNamespace(free=10_000_000))
    data = DataOptions(data="synthetic:5000")
    (message,) = preflight.disk(tmp_path / "new" / "work", data, 224, train=True, network=9_000_000)
    assert "0.01 GB are free" in message and "about 1.1" in message
    assert not preflight.disk(tmp_path, DataOptions(data="synthetic:20"), 16, train=False, network=1000)
    (tmp_path / "data").mkdir()
    assert not preflight.disk(tmp_path, data, 224, train=True, network=1000), "the images are there already"


def test_an_untrained_network_shows_what_a_build_would_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(exported: object, *, heat_map: bool) -> list[str]:
        assert (exported.folder / "model.onnx").is_file()  # type: ignore[attr-defined]
        return ["operator Sin (node 'x')"]

    monkeypatch.setattr(preflight, "graph", spoil)
    data = DataOptions(data=f"folder:{tmp_path / 'nowhere'}")
    small = NetworkOptions(arch="meshnet", image_size=32)
    with pytest.raises(InputError, match=r"2 things .*'magic'.*operator Sin"):
        pipeline.build(
            tmp_path / "out", ["tflite"], data, small, TrainOptions(), CompileOptions(QuantizeOptions("magic"))
        )
    assert not (tmp_path / "out").exists()


def test_an_unknown_backbone_is_told_beside_the_rest(tmp_path: Path) -> None:
    data, options = DataOptions(data="synthetic:20"), CompileOptions(QuantizeOptions("magic"))
    with pytest.raises(InputError, match=r"2 things .*'magic'.*unknown model 'alexnet'"):
        pipeline.build(tmp_path / "out", ["tflite"], data, NetworkOptions(arch="alexnet"), TrainOptions(), options)


@pytest.mark.parametrize(
    ("names", "task", "found"),
    [
        (None, "binary", ()),
        ("other,melanoma", "binary", ()),
        ("melanoma, other", "binary", (1, 0)),
        ("nv,mel,akiec,bcc,bkl,df,vasc", "seven", (2, 3, 4, 5, 1, 0, 6)),
    ],
)
def test_class_names_give_the_order(names: str | None, task: str, found: tuple[int, ...]) -> None:
    assert preflight.order(names, task) == found


@pytest.mark.parametrize("names", ["melanoma,nevus", "melanoma", "melanoma,melanoma", "", "other,melanoma,other"])
def test_other_class_names_are_refused_with_the_known(names: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other, melanoma in any order"):
        preflight.order(names, "binary")


def test_classes_are_of_an_onnx_file(tmp_path: Path) -> None:
    assert "--classes is for --onnx" in refused(
        tmp_path, tmp_path / "net.safetensors", CompileOptions(), classes="melanoma,other"
    )
