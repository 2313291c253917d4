"""The same files and photographs through Python and Chromium: the same pixels, logits and decisions."""

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from melanoma_edge import formats
from melanoma_edge.artifact import Artifact
from melanoma_edge.data import quality
from melanoma_edge.data.preprocess import Preprocessing, pixels
from melanoma_edge.data.sources import synthetic
from melanoma_edge.targets._golden import pictures
from melanoma_edge.verify.policy import answer, read_policy

SIZE = 160
IMAGES = 200
IDS = ("litert-int8", "litert-float32", "onnxruntime-float32", "onnxruntime-weight_only_wi8_afp32", "onnxruntime-int8")
CLASSIFY = """async ([model, image, type]) => {
  const result = await (await load(model)).classify(blob(image, type));
  return { ...result, logits: Array.from(result.logits) };
}"""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def classify(page: Any, model: str, data: bytes, kind: str = "image/png") -> dict[str, Any]:
    return dict(page.evaluate(CLASSIFY, [model, encoded(data), kind]))


@pytest.fixture(scope="module")
def photographs() -> list[bytes]:
    return [s.path.read_bytes() for s in synthetic.load(f"{IMAGES},7").samples[:IMAGES]]


@pytest.mark.parametrize("model", IDS)
def test_logits_are_pythons(model: str, harness: Any, models: dict[str, Artifact], photographs: list[bytes]) -> None:
    resized = np.stack([pixels(Image.open(io.BytesIO(data)), SIZE) for data in photographs])
    python = formats.load(models[model].path, Preprocessing(SIZE))(resized)
    found = [classify(harness, model, data) for data in photographs]
    browser = np.array([result["logits"] for result in found], np.float32)
    if model == "litert-int8":
        assert np.array_equal(browser, python)
    else:  # the last layer adds floats, in wasm in another order
        assert np.abs(browser - python).max() <= 1e-5
    threshold = harness.evaluate(
        "async (model) => { const c = await load(model); "
        "return c.policy.artifacts.find((a) => c.model.file.endsWith('/' + a.name)).threshold; }",
        model,
    )
    p = np.exp(python[:, 1]) / np.exp(python).sum(1)
    assert [r["decision"] for r in found] == ["melanoma" if q >= threshold else "other" for q in p]


def test_capture_quality_is_pythons_to_the_bit(harness: Any, photographs: list[bytes], guard_bundle: Path) -> None:
    within = read_policy(guard_bundle).capture.limits
    for data in photographs[:60]:
        wanted = quality.measure(pixels(Image.open(io.BytesIO(data)), SIZE))
        found = classify(harness, "litert-int8", data)["quality"]
        assert found["measures"] == vars(wanted)
        assert tuple(found["advice"]) == quality.advice(wanted, within)


@pytest.mark.parametrize("model", ["litert-int8", "onnxruntime-float32"])
def test_a_device_can_test_itself(model: str, harness: Any) -> None:
    result = harness.evaluate("async (model) => (await load(model)).selfTest()", model)
    assert result["passed"] and len(result["images"]) == len(list(pictures()))
    assert all(image["pixelsEqual"] for image in result["images"])


def test_every_kind_of_input_gives_the_same(harness: Any, photographs: list[bytes]) -> None:
    found = harness.evaluate(
        """async ([image]) => {
          const classifier = await load('litert-int8');
          const png = blob(image, 'image/png');
          const bitmap = await createImageBitmap(png);
          const element = new Image();
          element.src = URL.createObjectURL(png);
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
          const context = canvas.getContext('2d');
          context.drawImage(bitmap, 0, 0);
          const data = context.getImageData(0, 0, canvas.width, canvas.height);
          const inputs = [png, bitmap, element, canvas, data];
          const logits = [];
          for (const input of inputs) logits.push(Array.from((await classifier.classify(input)).logits).join());
          return { logits, open: bitmap.width > 0 };
        }""",
        [encoded(photographs[0])],
    )
    assert len(set(found["logits"])) == 1 and found["open"]


def jpeg(width: int, height: int, **how: Any) -> bytes:
    ramp = np.add.outer(np.arange(height), 2 * np.arange(width))
    buffer = io.BytesIO()
    Image.fromarray(np.stack([ramp % 251, ramp % 241, ramp % 239], -1).astype(np.uint8)).save(buffer, "JPEG", **how)
    return buffer.getvalue()


def test_a_photograph_of_48_megapixels(harness: Any, models: dict[str, Artifact]) -> None:
    data = jpeg(8000, 6000, quality=80)
    python = formats.load(models["litert-int8"].path, Preprocessing(SIZE))
    wanted = python(pixels(Image.open(io.BytesIO(data)), SIZE)[np.newaxis])[0]
    assert classify(harness, "litert-int8", data, "image/jpeg")["logits"] == wanted.tolist()


def transparent() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 120, 90, 254)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (jpeg(1, 400), "1 x 400 pixels: sides from 8"),
        (jpeg(200, 200)[:300], "cannot be decoded"),
        (b"", "cannot be decoded"),
        (transparent(), "transparent pixels"),
    ],
    ids=["1 pixel wide", "cut off", "empty", "transparent"],
)
def test_what_cannot_be_used_is_refused(data: bytes, told: str, harness: Any) -> None:
    found = harness.evaluate(
        """async ([image]) => {
          const classifier = await load('litert-int8');
          return classifier.classify(blob(image, 'image/jpeg')).catch((e) => [e.name, e.code, e.message]);
        }""",
        [encoded(data)],
    )
    assert found[:2] == ["ClassifierError", "image"] and told in found[2]


def test_the_policys_words_are_pythons(harness: Any, photographs: list[bytes], guard_bundle: Path) -> None:
    policy = read_policy(guard_bundle)
    for data in photographs[:40]:
        found = classify(harness, "litert-int8", data)
        wanted = answer(policy, f"{guard_bundle.name}_int8.tflite", found["probability"])
        assert (found["decision"], found["uncertain"]) == (wanted.decision, wanted.uncertain)
        assert (found["tier"]["title"], found["tier"]["advice"]) == (wanted.title, wanted.advice)
        assert math.isclose(found["entropy"], wanted.entropy, rel_tol=1e-12)
