import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from melanoma_edge.data.images import digests, image_size, is_image_name, screen, screen_all
from melanoma_edge.data.preprocess import load_pixels

GOOD = {"a.jpg": {}, "b.png": {}, "c.webp": {}, "d.bmp": {}, "e.tif": {}, "f.tiff": {"compression": "tiff_lzw"}}


@pytest.mark.parametrize("name", GOOD)
def test_a_sound_image_is_accepted(tmp_path, draw, name):
    assert screen(draw(tmp_path / name, 1, (64, 48), **GOOD[name])) is None


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_grey_and_opaque_alpha_are_accepted(tmp_path, mode):
    path = tmp_path / "image.png"
    Image.new("RGB", (20, 20), (200, 100, 50)).convert(mode).save(path)
    assert screen(path) is None


def test_a_phones_jpeg_with_a_preview_behind_it_is_accepted(tmp_path):
    path = tmp_path / "phone.jpg"
    frames = [Image.new("RGB", (40, 30), c) for c in ("red", "blue")]
    frames[0].save(path, format="MPO", save_all=True, append_images=frames[1:])
    assert screen(path) is None


def refused_mode(mode: str, suffix: str, color: object) -> tuple[str, Image.Image]:
    return suffix, Image.new(mode, (20, 16), color)


@pytest.mark.parametrize(
    ("suffix", "image", "why"),
    [
        (*refused_mode("CMYK", ".jpg", (10, 20, 30, 40)), "colour mode CMYK"),
        (*refused_mode("CMYK", ".tif", (10, 20, 30, 40)), "colour mode CMYK"),
        (*refused_mode("P", ".png", 3), "colour mode P"),
        (*refused_mode("1", ".png", 1), "colour mode 1"),
        (*refused_mode("LA", ".png", (3, 255)), "colour mode LA"),
        (*refused_mode("I;16", ".png", 3000), "16 bits"),
        (*refused_mode("I", ".tif", 3000), "16 bits"),
        (*refused_mode("F", ".tif", 0.5), "colour mode F"),
        (*refused_mode("RGBA", ".png", (1, 2, 3, 254)), "transparent"),
        (".png", Image.new("RGB", (7, 30)), "no side may be under 8"),
        (".png", Image.new("L", (20_001, 8)), "no side may be over 20,000"),
    ],
)
def test_colours_and_sizes_that_training_cannot_use_are_refused(tmp_path, suffix, image, why):
    path = tmp_path / f"image{suffix}"
    image.save(path)
    assert why in screen(path)


def png_header(width: int, height: int, depth: int = 8, colour: int = 2, data: bytes = b"") -> bytes:
    """A PNG of any stated size, with next to no pixels behind it."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)), (b"IDAT", zlib.compress(data))]
    chunks = [
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in [*parts, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(50_000, 8), (50_000, 50_000), (15_000, 15_000), (10_000, 9_000)])
def test_a_huge_image_is_refused_from_its_header(tmp_path, size, recwarn):
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(*size))
    assert "pixels" in screen(path)
    assert "truncated" not in screen(path)
    assert not recwarn.list


def test_sixteen_bit_rgb_is_seen_although_pillow_opens_it_as_rgb(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(png_header(8, 8, depth=16, data=(b"\0" + bytes(48)) * 8))
    assert Image.open(path).mode == "RGB"
    assert "16 bits" in screen(path)


@pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.webp", "d.bmp", "f.tiff"])
def test_a_truncated_file_is_refused(tmp_path, draw, name):
    path = draw(tmp_path / name, 2, (90, 70), **GOOD[name])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    assert screen(path) is not None


def test_what_is_no_image_is_refused(tmp_path):
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("lesion\n" * 100)
    empty.touch()
    (tmp_path / "folder.jpg").mkdir()
    assert "not an image" in screen(text)
    assert screen(empty) == "zero bytes"
    assert screen(tmp_path / "folder.jpg") == "not a file"
    assert screen(tmp_path / "nowhere.jpg") == "missing file"


def test_an_animation_and_a_vector_are_refused(tmp_path):
    frames = [Image.new("RGB", (20, 20), c) for c in ("red", "blue")]
    moving, vector = tmp_path / "moving.webp", tmp_path / "vector.jpg"
    frames[0].save(moving, save_all=True, append_images=frames[1:])
    frames[0].save(vector, format="EPS")
    assert screen(moving) == "has more than one frame"
    assert "not an image" in screen(vector)


def test_a_transparent_colour_is_refused(tmp_path):
    path = tmp_path / "keyed.png"
    Image.new("RGB", (20, 20), "red").save(path, transparency=(255, 0, 0))
    assert screen(path) == "has transparent pixels"


def encoded(kind: str) -> bytes:
    pixels = np.random.default_rng(5).integers(0, 256, (24, 32, 3), np.uint8)
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(stream, format=kind, **({} if kind == "BMP" else {"exif": exif}))
    return stream.getvalue()


ENCODED = {kind: encoded(kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(ENCODED)), st.data())
def test_whatever_the_damage_an_accepted_file_decodes(tmp_path_factory, kind, data):
    """Fuzz: screening never raises, and what it accepts, preprocessing reads."""
    damaged = bytearray(ENCODED[kind])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "image"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    if screen(path) is None:
        assert load_pixels(path, 8).shape == (8, 8, 3)


def test_many_are_screened_in_order_and_counted(tmp_path, draw):
    paths = [draw(tmp_path / f"{i}.png", i) for i in range(5)]
    paths[3].write_bytes(b"")
    calls = []
    assert screen_all(paths, progress=lambda *facts: calls.append(facts)) == [None, None, None, "zero bytes", None]
    assert calls[-1] == ("checking images", 5, 5)


def test_digests_tell_equal_bytes_from_equal_lengths(tmp_path):
    contents = {"a": b"lesion", "b": b"nosiel", "c": b"lesion", "d": b"longer lesion"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = digests([tmp_path / name for name in contents])
    assert found[tmp_path / "a"] == found[tmp_path / "c"]
    assert len(set(found.values())) == 3


def test_names_and_sizes(tmp_path, draw):
    assert is_image_name(tmp_path / "A.JPG")
    assert not is_image_name(tmp_path / "._a.jpg")
    assert not is_image_name(tmp_path / "a.gif")
    assert image_size(draw(tmp_path / "a.jpg", 0, (31, 17))) == (31, 17)
