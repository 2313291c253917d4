"""Probability of melanoma of photographs, by a network of this bundle: a row of JSON for each.

Needs onnxruntime, numpy and Pillow, and manifest.json and policy.json in the folder above. Never a diagnosis.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
MANIFEST = json.loads((HERE.parent / "manifest.json").read_bytes())


def checked(name: str) -> bytes:
    """A file of the bundle, once its sha256 is the manifest's."""
    data = (HERE.parent / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != MANIFEST["files"][name]["sha256"]:
        raise SystemExit(f"{name} is not the file that was built: copy the bundle again")
    return data


def prepared(path: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The network's input, float32 [1, 3, size, size]: upright, the centred square, antialiased bilinear."""
    how = MANIFEST["preprocessing"]
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except OSError as error:
        raise SystemExit(f"{path} is not an image that Pillow reads: {error}") from None
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    square = upright.crop((left, top, left + side, top + side))
    pixels = np.asarray(square.resize((how["size"], how["size"]), Image.Resampling.BILINEAR), np.float32)
    normal = (pixels - np.float32(how["mean"])) / np.float32(how["std"])
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])


asked = argparse.ArgumentParser(description=__doc__)
asked.add_argument("images", nargs="+")
asked.add_argument("--precision", choices=["int8", "float32"], default="int8")
given = asked.parse_args()

found = [a["name"] for a in MANIFEST["artifacts"] if (a["format"], a["precision"]) == ("onnx", given.precision)]
policy = next(a for a in json.loads(checked("policy.json"))["artifacts"] if a["name"] == found[0])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # as the proof ran it
network = onnxruntime.InferenceSession(checked(f"onnx/{found[0]}"), options, providers=["CPUExecutionProvider"])
for path in given.images:
    logits = network.run(None, {network.get_inputs()[0].name: prepared(path)})[0][0].astype(np.float64)
    odds = np.exp(logits - logits.max())
    p = float(odds[MANIFEST["task"]["melanoma"]] / odds.sum())
    entropy = -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)  # nats
    decision = "melanoma" if p >= policy["threshold"] else "other"
    unsure = not entropy <= policy["rejection_threshold"]
    print(json.dumps({"image": path, "probability": p, "decision": decision, "uncertain": unsure}))
