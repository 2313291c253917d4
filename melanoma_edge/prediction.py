"""Use a bundle on images: the shipped file, the shipped threshold, the shipped preprocessing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from melanoma_edge import runtime
from melanoma_edge.data.images import screen
from melanoma_edge.data.preprocess import Preprocessing, load_pixels
from melanoma_edge.errors import InputError
from melanoma_edge.report.bundle import verify_bundle
from melanoma_edge.verify.predictions import softmax

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def predict(bundle: Path, images: Sequence[Path], artifact: str | None = None) -> dict[str, Any]:
    """Probability of melanoma and decision for every image; a folder stands for the images in it.

    artifact: name of a file in the bundle; by default its INT8 one. An unusable image has an "error" in its row instead
    of a probability. Raises InputError when the bundle was altered, a path does not exist, or a folder holds no image.
    """
    manifest = verify_bundle(bundle)
    row = _pick(manifest["artifacts"], artifact)
    size = int(manifest["preprocessing"]["size"])
    threshold = float(manifest["operating_point"]["threshold"])
    model = runtime.load(bundle / row["file"], Preprocessing(size))
    melanoma = int(manifest["task"]["melanoma"])
    rows: list[dict[str, Any]] = []
    for path in _expand(images):
        refused = screen(path)
        if refused is not None:
            rows.append({"image": str(path), "error": refused})
            continue
        logits = model(load_pixels(path, size)[np.newaxis])
        p = float(softmax(logits)[0, melanoma])
        rows.append({"image": str(path), "probability": p, "decision": "melanoma" if p >= threshold else "other"})
    return {"artifact": row["name"], "runtime": model.runtime, "threshold": threshold, "predictions": rows}


def _pick(artifacts: Sequence[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    """The row of the artifact called `wanted`, or of the first INT8 one."""
    for row in artifacts:
        if row["name"] == wanted or (wanted is None and row["precision"] == "int8"):
            return row
    known = ", ".join(row["name"] for row in artifacts)
    raise InputError(f"the bundle has no artifact {wanted or 'of precision int8'}: it has {known}")


def _expand(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; folders as the images in them, sorted."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: name an image, or a folder of images")
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
            if not inside:
                kinds = ", ".join(sorted(IMAGE_SUFFIXES))
                raise InputError(f"{path} holds no image: files ending in {kinds} are looked for")
            found += inside
        else:
            found.append(path)
    return found
