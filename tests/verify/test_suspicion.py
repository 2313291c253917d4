"""A reference that cannot be right is asked about, and ships only when told so."""

from dataclasses import replace

import numpy as np
import pytest

from melanoma_edge.verify import suspicion
from melanoma_edge.verify.predictions import Predictions

CLASSES = ("other", "melanoma")


def predictions(seed: int = 0, quality: float = 2.0, classes: tuple[str, ...] = CLASSES) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % len(classes)
    logits = rng.normal(size=(60, len(classes))) + quality * np.eye(len(classes))[labels]
    splits = tuple(["val"] * 30 + ["test"] * 30)
    ids = tuple(str(i) for i in range(60))
    return Predictions(ids, splits, labels, logits.astype(np.float32), len(classes) - 1, classes)


def codes(found: list[suspicion.Caution]) -> list[str]:
    return [caution.code for caution in found]


def test_nothing_is_said_of_a_reference_that_works() -> None:
    assert suspicion.of_answers(predictions(), False) == []
    assert suspicion.gates(predictions().only("test"), False) == []


@pytest.mark.parametrize("classes", [CLASSES, tuple("abcdefm")])
def test_outputs_in_another_order_are_asked_about_and_do_not_ship(classes: tuple[str, ...]) -> None:
    good = predictions(quality=4.0, classes=classes)
    turned = replace(good, logits=np.ascontiguousarray(good.logits[:, ::-1]))
    (caution,) = suspicion.of_answers(turned, False)
    assert caution.code == "auc" and "--classes" in caution.text and "--accept-suspicious-reference" in caution.text
    (gate,) = suspicion.gates(turned.only("test"), False)
    assert not gate.passed and gate.value is not None and gate.value > 0.5
    assert suspicion.gates(turned.only("test"), True) == []
    assert "since you said so" in suspicion.of_answers(turned, True)[0].text


def test_a_constant_output_is_found_and_is_no_better_than_chance() -> None:
    same = replace(predictions(), logits=np.full((60, 2), 3.0, np.float32))
    assert codes(suspicion.of_answers(same, False)) == ["constant", "auc"]
    assert not suspicion.gates(same.only("test"), False)[0].passed


def test_an_auc_that_is_not_a_number_does_not_ship() -> None:
    one_class = replace(predictions(), labels=np.zeros(60, np.int64))
    assert not suspicion.gates(one_class.only("test"), False)[0].passed


def test_outputs_that_behave_like_probabilities_are_found_by_value() -> None:
    good = predictions()
    p = np.stack([1 - good.p, good.p], axis=1).astype(np.float32)
    assert codes(suspicion.of_answers(replace(good, logits=p), False)) == ["probabilities"]


@pytest.mark.parametrize(
    ("mean", "std", "hint"),
    [
        ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "--mean 123.675,116.28,103.53 --std 58.395,57.12,57.375"),
        ((0.5,) * 3, (0.5,) * 3, "--mean 127.5,127.5,127.5 --std 127.5,127.5,127.5"),
        ((0.5,) * 3, (1.0,) * 3, "--std 255,255,255"),
    ],
)
def test_units_of_0_to_1_are_asked_about(mean: tuple[float, ...], std: tuple[float, ...], hint: str) -> None:
    (caution,) = suspicion.of_normalization(mean, std)
    assert caution.code == "units" and hint in caution.text


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ((0.0,) * 3, (1.0,) * 3),
        ((0.0,) * 3, (255.0,) * 3),
        ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        ((123.675, 116.28, 103.53), (1.0,) * 3),
    ],
)
def test_pixel_units_are_not(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    assert suspicion.of_normalization(mean, std) == []


def test_few_images_of_a_class_are_named_by_split() -> None:
    labels = {"train": [0, 1] * 50, "val": [0] * 20 + [1] * 9, "test": [0] * 10 + [1] * 10}
    (caution,) = suspicion.of_samples(labels, CLASSES)
    assert caution.code == "few_images" and "9 of melanoma in val" in caution.text and "test" not in caution.text


def test_a_cut_softmax_is_told() -> None:
    assert suspicion.of_cut(None) == []
    assert "Softmax 'end'" in suspicion.of_cut("Softmax 'end'")[0].text
