"""What makes a reference doubtful: it may be a mistake in how it was brought, so it is asked about, not assumed."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from melanoma_edge.errors import Caution
from melanoma_edge.verify import metrics
from melanoma_edge.verify.gates import Gate
from melanoma_edge.verify.predictions import Predictions

CHANCE = 0.5  # AUC of a network that cannot tell the classes apart
FEW = 10  # images of a class in a split: fewer say nothing of a network
WHITE = 255
REFERENCE = "reference"
ACCEPT = "--accept-suspicious-reference"
SUMS_TO_ONE = 1e-3


def of_normalization(mean: Sequence[float], std: Sequence[float]) -> list[Caution]:
    """Doubts about a normalisation that should be in pixel units."""
    if not (0 < max(mean) <= 1 or max(std) < 1) or max(mean) > 1:
        return []
    flags = " ".join(f"--{name} {','.join(f'{v * WHITE:g}' for v in given)}" for name, given in _named(mean, std))
    told = " ".join(f"--{name} {','.join(f'{v:g}' for v in given)}" for name, given in _named(mean, std))
    return [
        Caution(
            "units",
            f"{told} looks like units of 0 to 1, and is read in units of 0 to 255. For a network that was trained on "
            f"pixel / 255 write {flags}",
        )
    ]


def of_cut(cut: str | None) -> list[Caution]:
    """A note on what was cut off the end of the network."""
    if cut is None:
        return []
    return [Caution("softmax_cut", f"the network ended in {cut}, which was cut off: its input are the logits")]


def of_samples(labels: Mapping[str, Sequence[int]], classes: Sequence[str]) -> list[Caution]:
    """Doubts about splits with few images of a class. labels: class indices by split."""
    counts = {split: Counter(given) for split, given in labels.items()}
    few = [
        f"{count[index]} of {name} in {split}"
        for split, count in counts.items()
        for index, name in enumerate(classes)
        if count[index] < FEW
    ]
    if not few:
        return []
    return [Caution("few_images", f"fewer than {FEW} images of a class: {', '.join(few)}; figures on them say little")]


def of_answers(reference: Predictions, accepted: bool) -> list[Caution]:
    """Doubts about what the reference answers on the validation and test images."""
    found = [*_constant(reference), *_probabilities(reference)]
    test, pair = reference.only("test"), " and ".join(reference.classes)
    auc = metrics.auc(test.is_melanoma, test.p)
    if not auc > CHANCE:
        others = [name for index, name in enumerate(reference.classes) if index != reference.melanoma]
        first = ",".join([reference.classes[reference.melanoma], *others])
        told = "ships all the same, since you said so" if accepted else f"is not shipped unless {ACCEPT} says so"
        found.append(
            Caution(
                "auc",
                f"the reference's AUC on the test split is {auc:.3f}: a network that cannot tell the classes apart has "
                f"{CHANCE}. Are its outputs in another order than {pair} (--classes {first}), or was it trained with "
                f"another --mean and --std? It {told}",
            )
        )
    return found


def gates(test: Predictions, accepted: bool) -> list[Gate]:
    """A failed gate for a reference that cannot tell the classes of the test split apart, unless that is accepted."""
    wrong = 1 - metrics.auc(test.is_melanoma, test.p)  # share of the pairs that it puts in the wrong order
    if accepted or wrong < 1 - CHANCE:
        return []
    return [Gate("max_wrong_order", REFERENCE, 1 - CHANCE, wrong, False)]


def _named(mean: Sequence[float], std: Sequence[float]) -> tuple[tuple[str, Sequence[float]], ...]:
    return ("mean", mean), ("std", std)


def _constant(reference: Predictions) -> list[Caution]:
    if len(reference) < 2 or np.any(reference.p != reference.p[0]):
        return []
    return [Caution("constant", f"the reference answers {reference.p[0]:.6g} to every image: does it read its input?")]


def _probabilities(reference: Predictions) -> list[Caution]:
    logits = reference.logits
    if np.any(logits < 0) or np.any(logits > 1) or np.any(np.abs(logits.sum(axis=1) - 1) > SUMS_TO_ONE):
        return []
    return [
        Caution(
            "probabilities",
            "the reference's outputs lie within [0, 1] and sum to 1 on every image, as probabilities do: bring the "
            "network without the softmax that it computes at its end",
        )
    ]
