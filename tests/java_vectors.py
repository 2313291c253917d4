"""What Python computes, written as files for the JUnit tests of android/test: see Vectors.java."""

import io
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy.special import softmax

from melanoma_edge.artifact import Artifact, builtins
from melanoma_edge.data import quality
from melanoma_edge.data.preprocess import Preprocessing, pixels, square
from melanoma_edge.data.sources import synthetic
from melanoma_edge.data.task import TASKS
from melanoma_edge.formats import load
from melanoma_edge.report.advice import build_policy, read_advice
from melanoma_edge.verify.answering import Thresholds
from melanoma_edge.verify.policy import FilePolicy, Policy, answer, faults, read_policy

PHOTOGRAPHS, FLOATS = 100, 20


@dataclass(frozen=True)
class Vectors:
    """A folder of documents and the files that they name."""

    folder: Path

    def keep(self, name: str, data: bytes) -> str:
        """Write a file that a document names."""
        (self.folder / name).write_bytes(data)
        return name

    def document(self, name: str, content: object) -> None:
        """Write a document."""
        (self.folder / f"{name}.json").write_text(json.dumps(content))


def write(folder: Path, bundle: Path) -> None:
    """Everything but the networks' assets."""
    to, random = Vectors(folder), np.random.default_rng(0)
    resize(to, random)
    frames(to, random)
    files(to, random)
    to.document("quality", measured(to, random, read_policy(bundle).capture))
    to.document("policy", [answers(random) for _ in range(20)])
    to.document("json", numbers_and_texts(random))
    photographs(to, bundle, drawn())
    photographs(to, bundle, islice(drawn(), FLOATS), "float32")


def encoded(image: Image.Image, form: str = "PNG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()


def noise(random: np.random.Generator, height: int, width: int) -> Image.Image:
    return Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))


def resize(to: Vectors, random: np.random.Generator) -> None:
    rows = []
    for i in range(60):
        side, size = int(random.integers(8, 400)), int(random.integers(8, 260))
        image = noise(random, side, side)
        resized = image.resize((size, size), Image.Resampling.BILINEAR)
        names = (to.keep(f"resize_{i}.{end}", one.tobytes()) for end, one in (("from", image), ("to", resized)))
        rows.append({"side": side, "size": size, **dict(zip(("from", "to"), names, strict=True))})
    to.document("resize", rows)


def frames(to: Vectors, random: np.random.Generator) -> None:
    """JPEG and PNG files that lie in each of the eight ways, wide and high, with odd margins."""
    rows = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for height, width in ((40, 61), (64, 33)):
            for form in ("PNG", "JPEG"):
                data = encoded(noise(random, height, width), form, exif=exif)
                stem = f"frame_{orientation}_{height}.{form.lower()}"
                cut = square(Image.open(io.BytesIO(data))).tobytes()
                kept = {"file": to.keep(stem, data), "square": to.keep(f"{stem}.rgb", cut)}
                rows.append({"orientation": orientation, **kept})
    to.document("frames", rows)


def files(to: Vectors, random: np.random.Generator) -> None:
    """Whole files, files that are refused before they are decoded, and files with a colour profile."""
    image = noise(random, 24, 31)
    exif = Image.Exif()
    exif[0x0112] = 6
    forms: Mapping[str, tuple[str, dict[str, Any]]] = {
        "whole.jpg": ("JPEG", {"exif": exif}),
        "progressive.jpg": ("JPEG", {"progressive": True}),
        "grey.jpg": ("JPEG", {}),
        "whole.png": ("PNG", {}),
    }
    shown = {name: image.convert("L") if name.startswith("grey") else image for name in forms}
    to.document("whole", [to.keep(n, encoded(shown[n], form, **how)) for n, (form, how) in forms.items()])
    refused = {
        "cmyk.jpg": (encoded(image.convert("CMYK"), "JPEG"), "4 channels"),
        "palette.png": (encoded(image.convert("P")), "palette"),
        "deep.png": (encoded(image.convert("I;16")), "8 bits"),
        "image.gif": (encoded(image.convert("P"), "GIF"), "neither JPEG nor PNG"),
        "narrow.jpg": (encoded(noise(random, 10_000, 1), "JPEG"), "1 x 10000 pixels"),
        "cut.jpg": (encoded(image, "JPEG")[:300], "ends early"),
        "empty.jpg": (b"", "neither JPEG nor PNG"),
    }
    to.document("refused", [{"file": to.keep(n, data), "told": told} for n, (data, told) in refused.items()])
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rows = []
    for form in ("JPEG", "PNG"):
        pair = {"file": encoded(image, form, icc_profile=icc), "without": encoded(image, form)}
        rows.append({key: to.keep(f"profile_{key}.{form.lower()}", data) for key, data in pair.items()})
    to.document("profiles", rows)
    to.document("undecodable", to.keep("undecodable.png", undecodable()))


def undecodable() -> bytes:
    """A PNG file whose checksums hold and whose pixels are no deflate stream."""
    header = struct.pack(">IIBBBBB", 20, 20, 8, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in ((b"IHDR", header), (b"IDAT", b"no deflate stream at all"), (b"IEND", b"")):
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)


def measured(to: Vectors, random: np.random.Generator, capture: quality.CaptureGuide) -> dict[str, Any]:
    """Noise, flat fields, blots and drawn lesions, of sizes below and above the grid's, and cases that are close."""
    shown = [pixels(Image.open(s.path), 160) for s in synthetic.load("200,7").samples[:30]]
    shown += [*contested()]
    for size in (8, 9, 31, 32, 33, 65, 100, 160, 224, 240, 300):
        blot = np.full((size, size, 3), 200, np.uint8)
        blot[: size // 2, size // 3 :] = random.integers(0, 120)
        shown += [np.asarray(noise(random, size, size)), np.full((size, size, 3), size % 256, np.uint8), blot]
    within = capture.limits
    rows = []
    for i, rgb in enumerate(shown):
        found = quality.measure(rgb)
        kept = {"rgb": to.keep(f"quality_{i}.rgb", rgb.tobytes()), "size": len(rgb)}
        rows.append({**kept, "measures": list(vars(found).values()), "advice": list(quality.advice(found, within))})
    return {"capture": builtins(capture), "images": rows}


def contested() -> Iterator[NDArray[np.uint8]]:
    """Pictures of one pixel a cell: two sets as heavy as each other or nearly so, two thresholds that score alike."""
    spots: tuple[dict[tuple[int, int], int], ...] = (
        {(15, 15): 0, **{(2, 12 + i): 0 for i in range(7)}},  # 8 in the middle against 7 that come first
        {(15, 15): 0, **{(2, 12 + i): 0 for i in range(8)}},  # 8 against 8
        {(3, 16): 0, (28, 10): 0},
        {(16, 5): 0, (16, 26): 200},  # as far below the rest as above
    )
    for spot in spots:
        rgb = np.full((32, 32, 3), 100, np.uint8)
        for (row, column), level in spot.items():
            rgb[row, column] = level
        yield rgb


def random_policy(at: Thresholds) -> Policy:
    """Our own texts with these thresholds, for one file."""
    advice = read_advice(None)
    bounds = tuple(tier.bound(at.decision) for tier in advice.tiers)
    own = FilePolicy("m.tflite", "tflite", "int8", at.decision, at.uncertain, 1.0, bounds)
    return replace(build_policy("m", TASKS["binary"], [], advice, at, 0.8), artifacts=(own,))


def answers(random: np.random.Generator) -> dict[str, Any]:
    """A policy of random thresholds, and what it says to probabilities, its own bounds among them."""
    threshold, rejection = float(random.uniform(0.01, 0.99)), float(random.uniform(0, 0.69))
    policy = random_policy(Thresholds(threshold, rejection))
    bounds = policy.artifacts[0].bounds
    near = [float(np.nextafter(b, side)) for b in bounds for side in (0.0, 1.0)]
    told = [{"p": p, **vars(answer(policy, "m.tflite", p))} for p in (*bounds, *near, 1.0, *random.random(50).tolist())]
    return {"policy": builtins(policy), "file": "m.tflite", "answers": told}


def numbers_and_texts(random: np.random.Generator) -> dict[str, Any]:
    numbers = [*(random.standard_normal(200) * 10.0 ** random.integers(-300, 300, 200)).tolist(), 5e-324, -0.0, 3, 1e22]
    texts = ["", 'quote " back \\ slash /', "tab\tline\nbell\x07", "ä ß € \u2028", "\U0001f600 beyond 16 bits"]
    return {
        "numbers": [{"value": n, "bits": f"{struct.unpack('>Q', struct.pack('>d', n))[0]:x}"} for n in numbers],
        "texts": [{"value": t, "sha256": sha256(t.encode()).hexdigest()} for t in texts],
    }


def drawn() -> Iterator[bytes]:
    """Drawn photographs as PNG and JPEG files."""
    for i, sample in enumerate(synthetic.load("200,7").samples[:PHOTOGRAPHS]):
        with Image.open(sample.path) as image:
            upright = image.convert("RGB")
        yield encoded(upright, "JPEG", quality=90) if i % 2 else encoded(upright)


def photographs(to: Vectors, bundle: Path, shown: Iterable[bytes], precision: str = "int8") -> None:
    """Photograph files with everything that Python says to them, in photographs_PRECISION.json."""
    policy, name = read_policy(bundle), f"{bundle.name}_{precision}.tflite"
    run = load(bundle / "tflite" / name, Preprocessing(160))
    rows = []
    for i, data in enumerate(shown):
        rgb = pixels(Image.open(io.BytesIO(data)), 160)
        logits = run(rgb[np.newaxis])[0]
        p = float(softmax(logits.astype(np.float64))[1])
        said = {**vars(answer(policy, name, p)), "faults": ",".join(faults(policy, rgb))}
        rows.append({"file": to.keep(f"photograph_{i}", data), "logits": logits.tolist(), "p": p, **said})
    to.document(f"photographs_{precision}", rows)


def heat_map(folder: Path, artifact: Artifact) -> None:
    """What a file with a second output says to one photograph."""
    to, run = Vectors(folder), load(artifact.path, Preprocessing(160))
    rgb = pixels(Image.open(folder / "photograph_0"), 160)[np.newaxis]
    values = run.heat_map(rgb)[0]
    sides = {"height": values.shape[0], "width": values.shape[1]}
    told = {"file": "photograph_0", "logits": run(rgb)[0].tolist(), "values": values.ravel().tolist(), **sides}
    to.document("heat_map", told)
