"""Every Python example in docs/ runs, page by page, in the order in which a reader meets it."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from melanoma_edge import operators
from melanoma_edge.data import lesions

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if BLOCK.search(page.read_text()))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader works: net.onnx, a trained network that takes (pixel - 128) / 128 at 160 pixels, and photo.png."""
    shutil.copyfile(ROOT / "tests" / "networks" / "meshnet_synthetic.onnx", tmp_path / "net.onnx")
    lesion = lesions.draw_lesion("mel", (0, 1))
    Image.fromarray(lesions.photograph(lesion, lesions.paint(lesion), view=0)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_examples() -> None:
    assert [page.name for page in PAGES] == ["api.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, folder: Path) -> None:
    text = page.read_text()
    names: dict[str, object] = {}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block[1], str(page), "exec"), names)  # so that an error names the page's own line
    made = names["made"]
    assert made.ships and (folder / "net_int8.tflite").is_file() and (folder / "net.tflite").is_file()


def test_the_architecture_page_names_every_operator_and_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    known = text.split("These are known:")[1].split(".")[0].replace("\n", " ")
    assert sorted(name.strip() for name in known.split(",")) == sorted(operators.table())
    rooms = [
        path for path in (ROOT / "melanoma_edge").iterdir() if path.name[0] not in "_." and path.name != "py.typed"
    ]
    missing = [p.name for p in rooms if f"`{p.name}{'/' if p.is_dir() else ''}`" not in text]
    assert not missing
