"""Which group an image is in."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from melanoma_edge.data.dataset import Sample
from melanoma_edge.data.members import TONE, _band, members


def images(metadata: list[dict[str, str]], clinical: bool) -> Any:
    samples = [Sample(f"im{i}", Path("x"), "mel", "g", "test", m) for i, m in enumerate(metadata)]
    pixels = np.full((len(samples), 20, 20, 3), (224, 172, 135), np.uint8)
    return SimpleNamespace(
        samples=lambda _split: samples, pixels=lambda _name: pixels, summary=SimpleNamespace(clinical=clinical)
    )


def test_groups_are_what_the_dataset_tells_and_the_frame_shows() -> None:
    found = members(images([{"sex": "male", "age": "44.0", "localization": "back"}, {"age": "70"}], clinical=True))
    assert found["sex"] == {"im0": "male"} and found["site"] == {"im0": "back"}
    assert found["age"] == {"im0": "30 to 49 years", "im1": "70 years and over"}
    assert found["diagnosis"] == {"im0": "mel", "im1": "mel"}
    assert found[TONE]["im0"].startswith("light (ITA")


def test_drawn_images_have_no_skin_and_missing_metadata_no_groups() -> None:
    assert members(images([{}, {}], clinical=False)) == {"diagnosis": {"im0": "mel", "im1": "mel"}}


@pytest.mark.parametrize(
    ("age", "band"),
    [("0", "0 to 29 years"), ("29.9", "0 to 29 years"), ("50", "50 to 69 years"), ("", ""), ("unknown", "")],
)
def test_age_bands(age: str, band: str) -> None:
    assert _band({"age": age}) == band
