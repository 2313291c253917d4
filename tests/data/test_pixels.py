import re
from pathlib import Path

import numpy as np
import pytest

from melanoma_edge.data import pixels
from melanoma_edge.data.preprocess import load_pixels
from melanoma_edge.errors import InputError


def test_rows_follow_the_samples_and_equal_the_one_preprocessing(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "CHUNK", 16)
    calls = []
    path = tmp_path / "out" / "pixels.npy"
    pixels.write_pixels(samples, 8, path, progress=lambda *facts: calls.append(facts))
    found = pixels.read_pixels(path)
    assert isinstance(found, np.memmap)
    assert found.dtype == np.uint8
    assert found.shape == (60, 8, 8, 3)
    for row in (0, 15, 16, 59):
        np.testing.assert_array_equal(found[row], load_pixels(samples[row].path, 8))
    assert calls[-1] == ("decoding images", 60, 60)


def test_an_image_that_broke_since_leaves_no_file(samples, tmp_path):
    samples[30].path.write_bytes(b"gone")
    with pytest.raises(InputError, match=r"cannot decode .*30\.png"):
        pixels.write_pixels(samples, 8, tmp_path / "out" / "pixels.npy")
    assert list((tmp_path / "out").iterdir()) == []


def test_no_samples_are_an_empty_array(tmp_path):
    pixels.write_pixels([], 8, tmp_path / "pixels.npy")
    assert np.load(tmp_path / "pixels.npy").shape == (0, 8, 8, 3)


def test_chunks_are_the_images_in_order(tmp_path):
    images = np.arange(7 * 4 * 4 * 3, dtype=np.uint8).reshape(7, 4, 4, 3)
    np.save(tmp_path / "p.npy", images)
    for source in (images, pixels.read_pixels(tmp_path / "p.npy")):
        chunks = list(pixels.in_chunks(source, 3))
        assert [len(chunk) for chunk in chunks] == [3, 3, 1]
        assert (np.concatenate(chunks) == images).all()


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells")
def test_what_was_read_does_not_stay_in_memory(tmp_path):
    def mapped() -> int:
        found = re.search(r"RssFile:\s*(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) * 1024

    megabytes, image = 64, 64 * 64 * 3
    np.save(tmp_path / "p.npy", np.ones((megabytes * 2**20 // image, 64, 64, 3), np.uint8))
    images, before = pixels.read_pixels(tmp_path / "p.npy"), mapped()
    total = sum(int(chunk.sum()) for chunk in pixels.in_chunks(images, 256))
    assert total == images.size
    assert mapped() - before < 16 * 2**20
