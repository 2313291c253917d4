"""Statistics of a million stored predictions: two files are read, compared, and drawn from 2,000 times.

.venv/bin/python benchmarks/million.py [IMAGES]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from melanoma_edge.cores import usable_cores
from melanoma_edge.verify.certainty import certainty
from melanoma_edge.verify.operating_point import OperatingPoint
from melanoma_edge.verify.parity import compare
from melanoma_edge.verify.predictions import Predictions, read_csv, write_csv

Result = TypeVar("Result")
POINT = OperatingPoint("threshold=0.3", 0.3, "given", float("nan"), float("nan"))
LESIONS = 0.7  # lesions by images, as in HAM10000


def stored(folder: Path, count: int) -> tuple[Path, Path]:
    """Two networks' predictions on the same images, one in nine a melanoma, as files."""
    rng = np.random.default_rng(0)
    positive = rng.random(count) < 1 / 9
    latent = rng.normal(np.where(positive, 0.5, -2.0), 1.2)
    ids, splits = tuple(f"image_{i:07d}" for i in range(count)), ("test",) * count
    paths = []
    for name, drift in (("reference", 0.0), ("artifact", 0.1)):
        logit = latent + drift * rng.normal(size=count)
        logits = np.stack([-logit / 2, logit / 2], axis=1).astype(np.float32)
        paths.append(folder / f"{name}.csv")
        write_csv(paths[-1], Predictions(ids, splits, positive.astype(np.int64), logits, 1, ("other", "melanoma")))
    return paths[0], paths[1]


def timed(what: str, work: Callable[[], Result]) -> Result:
    """Run and say how long it took, and how long its threads computed, which other work beside it does not change."""
    started, computed = time.monotonic(), time.process_time()
    result = work()
    print(f"{what}: {time.monotonic() - started:.1f} s, {time.process_time() - computed:.1f} s of one core")
    return result


def main(count: int) -> None:
    """Time each step."""
    with tempfile.TemporaryDirectory() as scratch:
        reference, artifact = timed("writing both files (not part of it)", lambda: stored(Path(scratch), count))
        before, after = timed("reading both files", lambda: (read_csv(reference), read_csv(artifact)))
    homes = np.random.default_rng(1).integers(0, int(LESIONS * count), count)
    groups = {i: str(home) for i, home in zip(before.ids, homes, strict=True)}
    cores = usable_cores()
    parity = timed("figures, flips and ledger", lambda: compare(before, after, POINT))
    sure = timed(
        f"2,000 draws, DeLong, McNemar, {cores} threads",
        lambda: certainty(before, after, POINT, groups, workers=cores),
    )
    value, low, high = sure["figures"]["sensitivity"]["difference"]
    print(f"{count:,} images, {sure['groups']:,} lesions, {parity.flips:,} flips")
    print(f"change of sensitivity {value:+.5f} ({low:+.5f} to {high:+.5f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
