"""The capture block: limits that the validation images pass, counted, and kept for the next build."""

from pathlib import Path

import pytest

from melanoma_edge.data.quality import Quality, advice, guide, measure
from melanoma_edge.options import DataOptions
from melanoma_edge.progress import silent
from melanoma_edge.stages import capture
from melanoma_edge.stages import data as data_stage


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("capture")


def test_the_block_holds_limits_and_what_they_flag(work: Path) -> None:
    images = data_stage.prepare(work, DataOptions("synthetic:120"), size=48, train=False, progress=silent)
    told = capture.run(work, images, silent)
    assert told == guide([measure(pixels) for pixels in images.pixels("val")])
    assert told.flagged_in_validation["images"] == len(images.pixels("val")) > told.flagged_in_validation["any"]
    calls = []
    again = capture.run(work, images, lambda *told: calls.append(told))
    assert again == told and not calls  # nothing is measured twice


def test_a_black_picture_is_refused(work: Path) -> None:
    images = data_stage.prepare(work, DataOptions("synthetic:120"), size=48, train=False, progress=silent)
    within = capture.run(work, images, silent).limits
    black = Quality(0, 0, 1, 0, 0, 0, 0, 0)
    assert advice(black, within) == ("blurred", "too_dark", "no_lesion")
