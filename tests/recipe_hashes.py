"""Quantizes a network by every recipe: `python recipe_hashes.py FILE IMAGES NAME...` tells the sha256 of each graph.

FILE: of a trained network of 8-bit images. NAME: quantizers, each of which may make several recipes.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx_ir as ir

from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.export import passes
from melanoma_edge.quantization import quantizers
from melanoma_edge.quantization.quantizers import Subject


def hashes(network: Path, images: int, names: list[str]) -> dict[str, str]:
    model = ir.load(network)
    for phase in ("clean", "integer"):
        passes.apply(model, phase)
    size = int(model.graph.inputs[0].shape[2])
    coarse = np.random.default_rng(0).integers(0, 256, (images, size // 8, size // 8, 3), np.uint8)
    subject = Subject(model, coarse.repeat(8, 1).repeat(8, 2), Preprocessing(size))
    made = [attempt for name in names for attempt in quantizers.attempts(name, subject)]
    return {a.recipe.name: hashlib.sha256(ir.to_proto(a.model).SerializeToString()).hexdigest() for a in made}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(hashes(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])) + "\n")
