"""The example of the ONNX target, run as its reader runs it, answers what `melanoma-edge predict` answers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from melanoma_edge import shipped
from melanoma_edge.targets._golden import pictures

# Beside the standard library and what it says that it needs, nothing can be imported.
BLOCKED = """
import runpy, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {"onnxruntime", "numpy", "PIL", *sys.stdlib_module_names}:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
sys.meta_path.insert(0, Blocker())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def example(bundle: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-c", BLOCKED, bundle / "onnx" / "predict.py", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """PNG, JPEG, a JPEG on its side and WebP of drawn lesions; wide, high and of other modes."""
    folder = tmp_path_factory.mktemp("images")
    found = []
    for i, picture in enumerate(pictures()):
        path = folder / f"{i}.{picture.type.partition('/')[2]}"
        path.write_bytes(picture.data)
        found.append(path)
    with Image.open(found[0]) as drawn:
        drawn.crop((3, 0, drawn.width, drawn.height - 101)).save(folder / "wide.png")
        drawn.crop((0, 0, drawn.width // 2 + 1, drawn.height)).convert("L").save(folder / "high.png")
        drawn.convert("RGBA").resize((321, 240)).save(folder / "transparent.png")
    return [*found, *(folder / f"{name}.png" for name in ("wide", "high", "transparent"))]


@pytest.fixture
def copied(guard_bundle: Path, tmp_path: Path) -> Path:
    """What the README says that is needed, and no more."""
    shutil.copytree(guard_bundle / "onnx", tmp_path / "onnx")
    for name in ("manifest.json", "policy.json"):
        shutil.copy(guard_bundle / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_its_answers_are_those_of_predict(precision: str, copied: Path, guard_bundle: Path, images: list[Path]) -> None:
    done = example(copied, "--precision", precision, *images)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    name = f"{guard_bundle.name}_{precision}.onnx"
    wanted = shipped.predict(guard_bundle, images, name)["predictions"]
    assert rows == [{key: row[key] for key in ("image", "probability", "decision", "uncertain")} for row in wanted]
    assert len({row["probability"] for row in rows}) == len(images)


@pytest.mark.parametrize("file", ["onnx/{name}_int8.onnx", "policy.json"])
def test_it_loads_no_other_file_than_what_was_built(
    file: str, copied: Path, guard_bundle: Path, images: list[Path]
) -> None:
    path = copied / file.format(name=guard_bundle.name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = example(copied, images[0])
    assert done.returncode == 1 and done.stdout == ""
    assert f"{path.relative_to(copied)} is not the file that was built" in done.stderr


def test_the_readme_is_filled_in(guard_bundle: Path) -> None:
    text = (guard_bundle / "onnx" / "README.md").read_text()
    assert f"# {guard_bundle.name} for desktops" in text and "[1, 3, 160, 160]" in text
    assert not {"NAME", "GENERATOR", "SIZE", "LICENCE"} & set(text.replace(".", " ").split())
