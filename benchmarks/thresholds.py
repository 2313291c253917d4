"""The table of docs/results/core.md, "Which threshold ships": decisions that each file keeps at either threshold.

.venv/bin/python benchmarks/thresholds.py artifacts/*/

From the predictions that the work folders of finished builds keep. A cell is "A / B": images decided otherwise than by
the reference when the file takes the reference's threshold, and when it takes the one that the same rule chooses on the
file's own validation predictions; likewise images that change between "answered" and "uncertain".
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.options import ProofOptions
from melanoma_edge.stages import predict, proof
from melanoma_edge.verify.predictions import Predictions, read_csv
from melanoma_edge.verify.rejection import entropy

RULES = ("sensitivity=0.90", "youden", "specificity=0.9")
SPLITS = ("val", "test")
HEADS = [f"{what}, {split}" for what in (*RULES, "uncertain") for split in SPLITS]


def pairs(reference: Predictions, artifact: Predictions) -> Iterator[tuple[int, int]]:
    """The cells of one file, in the order of HEADS."""
    for rule in RULES:
        at, own_at = (
            proof.policy(predictions, ProofOptions(operating_point=rule))[0].threshold
            for predictions in (reference, artifact)
        )
        for split in SPLITS:
            yield changed(reference.only(split).p, artifact.only(split).p, at, own_at)
    at, own_at = (proof.policy(predictions, ProofOptions())[1].threshold for predictions in (reference, artifact))
    for split in SPLITS:
        yield changed(entropy(reference.only(split).p), entropy(artifact.only(split).p), at, own_at)


def changed(before: NDArray[np.float64], after: NDArray[np.float64], at: float, own_at: float) -> tuple[int, int]:
    """Images on another side of the threshold, at the reference's and at the file's own."""
    return int(((before >= at) != (after >= at)).sum()), int(((before >= at) != (after >= own_at)).sum())


def rows(bundle: Path) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Name and cells of every file of a build."""
    reference = read_csv(bundle / "reference" / "predictions.csv")
    for folder in sorted((bundle / ".work" / "predict").iterdir()):
        if folder.name != "reference":
            yield folder.name, list(pairs(reference, read_csv(folder / predict.CSV)))


if __name__ == "__main__":
    files = [row for bundle in sys.argv[1:] for row in rows(Path(bundle))]
    sums = np.array([cells for _, cells in files]).sum(axis=0)
    print(f"| file | {' | '.join(HEADS)} |\n| --- |{' ---: |' * len(HEADS)}")
    for name, cells in [*files, ("all", sums)]:
        print(f"| {name} | {' | '.join(f'{reference} / {own}' for reference, own in cells)} |")
