"""A stage is made anew when the code behind it changes, and only then."""

import shutil
from pathlib import Path

import pytest

from melanoma_edge import source_hash as module
from melanoma_edge.source_hash import source_hash

QUANTIZE = "melanoma_edge.stages.quantize"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that may be changed."""
    root = tmp_path / module.PACKAGE
    shutil.copytree(module.ROOT, root, ignore=shutil.ignore_patterns("__pycache__", "npm", "aar"))
    monkeypatch.setattr(module, "ROOT", root)
    module._reads.cache_clear()
    return root


@pytest.mark.parametrize(
    ("stage", "file", "concerned"),
    [
        (QUANTIZE, "stages/quantize.py", True),
        (QUANTIZE, "quantization/rounding.py", True),  # far behind it
        (QUANTIZE, "export/passes/hard_swish.py", True),  # found by its name
        (QUANTIZE, "quantization/quantizers/mixed.py", True),
        (QUANTIZE, "report/html.py", False),
        ("melanoma_edge.stages.data", "data/sources/ham10000.py", True),
        ("melanoma_edge.stages.data", "quantization/rounding.py", False),
    ],
)
def test_what_a_stage_reaches_counts(package: Path, stage: str, file: str, concerned: bool) -> None:
    before = source_hash(stage)
    assert source_hash(stage) == before
    path = package / file
    path.write_text(path.read_text() + "\n# another line\n")
    module._reads.cache_clear()
    assert (source_hash(stage) != before) is concerned


def test_every_stage_names_its_own_code() -> None:
    stages = sorted((module.ROOT / "stages").glob("*.py"))
    assert sum(path.read_text().count("run_stage(") for path in stages) > 5
    for path in stages:
        assert path.read_text().count("run_stage(") == path.read_text().count("code=__name__,"), path.name


def test_others_modules_are_refused() -> None:
    with pytest.raises(ValueError, match="no module of melanoma_edge"):
        source_hash("numpy.linalg")
