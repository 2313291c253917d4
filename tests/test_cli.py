"""What a user meets at the command line: help, and one clear line for bad usage and bad input."""

import errno
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from melanoma_edge import cli
from melanoma_edge.artifact import exclusive


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def refused(capsys, *arguments: object) -> str:
    """The one line with which bad input is answered."""
    code, out, err = call(capsys, *arguments)
    assert code == 2, err
    assert "Traceback" not in err
    assert out == ""
    return " ".join(err.split())


@pytest.mark.parametrize(
    "command", ["build", "train", "compile", "verify", "bench", "predict", "doctor", "data list", "data inspect"]
)
def test_every_command_has_help_and_json(capsys, command):
    code, out, _ = call(capsys, *command.split(), "--help")
    assert code == 0
    assert "--json" in out


TINY = ("--arch", "meshnet", "--image-size", "32")  # the untrained network is exported before anything is refused


def test_the_lists_of_known_names_are_in_the_answer(capsys, tmp_path):
    where = ("--output", tmp_path / "b")
    assert "meshnet" in refused(capsys, "build", "--data", "synthetic:60", "--arch", "resnet50", *where)
    assert "tflite, web" in refused(capsys, "build", "--target", "toaster", *TINY, *where)
    assert "ham10000" in refused(capsys, "build", "--data", "isic:x", *TINY, *where)
    assert "sensitivity=X" in refused(capsys, "build", "--operating-point", "best", *TINY, *where)
    assert "--target android: found tflite" in refused(capsys, "build", "--android-float", *TINY, *where)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--bench-runs", 0), ("--calibration-images", 0), ("--image-size", 7), ("--head", "two")]
)
def test_what_no_build_can_use_is_refused_before_any_image_is_read(capsys, tmp_path, option, value):
    line = refused(capsys, "build", "--data", "synthetic:60", option, value, "--output", tmp_path / "b")
    assert str(value) in line and "decoding" not in line
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("data", ["folder:{}/missing", "ham10000:{}/missing", "folder:{}"])
def test_missing_and_empty_folders_are_one_clear_line(capsys, tmp_path, data):
    line = refused(capsys, "build", "--data", data.format(tmp_path), *TINY, "--output", tmp_path / "b")
    assert str(tmp_path) in line
    assert not (tmp_path / "b").exists()


def images(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        noise = np.random.default_rng(i).integers(0, 255, (40, 40, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")


def test_one_class_only_is_refused(capsys, tmp_path):
    images(tmp_path / "data" / "nevus", 30)
    data = f"folder:{tmp_path / 'data'}"
    assert "melanoma" in refused(capsys, "build", "--data", data, *TINY, "--output", tmp_path / "b")


def test_bad_images_are_counted_and_listed_and_strict_refuses(capsys, tmp_path):
    root = tmp_path / "data"
    images(root / "melanoma", 30)
    images(root / "nevus", 30)
    (root / "nevus" / "text.jpg").write_text("not an image")
    (root / "nevus" / "zero.png").write_bytes(b"")
    Image.new("CMYK", (40, 40)).save(root / "nevus" / "cmyk.jpg")
    code, out, _ = call(capsys, "data", "inspect", f"folder:{root}", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["problems"]["count"] == 3
    assert {Path(p["where"]).name for p in told["problems"]["first"]} == {"text.jpg", "zero.png", "cmyk.jpg"}
    assert "3 files" in refused(capsys, "data", "inspect", f"folder:{root}", "--strict")


def model(path: Path, shape: list[int | str], classes: int = 2) -> Path:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])
    weight = helper.make_tensor(
        "w", TensorProto.FLOAT, [classes, 3], np.ones(classes * 3, np.float32).tobytes(), raw=True
    )
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(nodes, "g", [image], [logits], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def test_networks_that_cannot_be_compiled_are_refused(capsys, tmp_path):
    data = ("--calibration", "synthetic:60", "--output", tmp_path / "b")
    corrupt = tmp_path / "corrupt.onnx"
    corrupt.write_bytes(b"\x00garbage")
    assert "corrupt.onnx" in refused(capsys, "compile", "--onnx", corrupt, *data)
    assert "missing.onnx" in refused(capsys, "compile", "--onnx", tmp_path / "missing.onnx", *data)
    flat = model(tmp_path / "flat.onnx", [1, 3, 64, 48])
    assert "[1,3,S,S]" in refused(capsys, "compile", "--onnx", flat, *data).replace(", ", ",")
    outside = model(tmp_path / "outside.onnx", [1, 3, 64, 64])
    loaded = onnx.load(outside)
    onnx.save(loaded, outside, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert "weights in other files" in refused(capsys, "compile", "--onnx", outside, *data)
    assert not (tmp_path / "b").exists()


def test_compile_wants_exactly_one_network(capsys, tmp_path):
    assert "--onnx FILE or --checkpoint FILE" in refused(capsys, "compile")
    assert "one number, or three" in refused(capsys, "compile", "--onnx", tmp_path / "x.onnx", "--mean", "a,b")
    assert "--checkpoint a .safetensors" in refused(capsys, "compile", "--checkpoint", tmp_path / "x.onnx")
    assert "--onnx takes a .onnx" in refused(capsys, "compile", "--onnx", tmp_path / "x.safetensors")


def test_numbers_that_cannot_be_are_refused_before_an_image_is_read(capsys, tmp_path):
    no_data = ("--data", f"folder:{tmp_path / 'nowhere'}")
    assert "epochs is 0" in refused(capsys, "build", "--epochs", "0", *no_data)
    network = Path("tests/networks/meshnet_synthetic.onnx").resolve()
    assert "std above 0" in refused(capsys, "compile", "--onnx", network, "--std", "0", *no_data)


def test_a_folder_with_foreign_files_is_not_written_into(capsys, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    line = refused(capsys, "build", "--data", "synthetic:60", "--arch", "meshnet", "--output", tmp_path)
    assert "thesis.docx" in line
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_errors_are_json_when_json_is_wanted(capsys):
    code, out, _ = call(capsys, "predict", "missing", "image.jpg", "--json")
    assert code == 2
    assert json.loads(out)["exit_code"] == 2


def test_predict_names_what_is_no_bundle(capsys, tmp_path):
    assert "holds no bundle" in refused(capsys, "predict", tmp_path, tmp_path / "a.jpg")


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(capsys, tmp_path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "free some space" in refused(capsys, "data", "split", "synthetic:60", tmp_path / "split.csv")
    output = tmp_path / "b"
    build = ("build", "--data", "synthetic:60", "--arch", "meshnet", "--output", output)
    assert "free some space" in refused(capsys, *build)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "/split.csv"])
def test_an_output_in_the_way_of_another_file_is_one_clear_line(capsys, tmp_path, below):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    where = f"{tmp_path}/file{below}" if below else f"{tmp_path}/folder"
    line = refused(capsys, "data", "split", "synthetic:60", where)
    assert f"{tmp_path}/f" in line and "choose a place" in line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_an_output_folder_in_use_is_refused(capsys, tmp_path):
    with exclusive(tmp_path / "b" / ".work"):
        line = refused(capsys, "build", "--data", "synthetic:60", "--arch", "meshnet", "--output", tmp_path / "b")
    assert "in use by process" in line
