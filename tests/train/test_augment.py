"""Augmented images depend on (seed, epoch, position) alone, and stay what the network takes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.train import augment

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 40, 40, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3


def images(seed: int = 0, epoch: int = 0) -> augment.EpochImages:
    order = np.array([5, 5, 1, 0, 11, 7, 3, 3, 2])
    return augment.EpochImages(PIXELS, LABELS, order, augment.augmentation(32), seed, epoch)


def all_of(view: augment.EpochImages, workers: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    pixels, labels = zip(*augment.batches(view, 4, workers), strict=True)
    return torch.cat(pixels), torch.cat(labels)


def test_images_are_uint8_squares_with_their_labels() -> None:
    pixels, labels = all_of(images())
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (8, 3, 32, 32), "a last batch of one image is left out"
    assert labels.tolist() == [2, 2, 1, 0, 2, 1, 0, 0]


def test_workers_change_nothing() -> None:
    assert torch.equal(all_of(images(), workers=0)[0], all_of(images(), workers=2)[0])


def test_every_draw_is_its_own() -> None:
    first = all_of(images())[0]
    assert torch.equal(first, all_of(images())[0])
    assert not torch.equal(first, all_of(images(epoch=1))[0])
    assert not torch.equal(first, all_of(images(seed=1))[0])
    assert not torch.equal(first[0], first[1]), "the same image drawn twice in an epoch looks different"


def test_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    images()[0]
    assert torch.equal(torch.rand(3), expected)


def test_every_orientation_occurs() -> None:
    """A bright corner ends up in all four corners: flips and transposition are there."""
    image = torch.zeros(3, 40, 40, dtype=torch.uint8)
    image[:, :16, :16] = 255
    transform = augment.augmentation(32)
    torch.manual_seed(0)
    corners = set()
    for _ in range(60):
        out = transform(image).float().mean(0)
        corners.add((bool(out[:16].mean() < out[16:].mean()), bool(out[:, :16].mean() < out[:, 16:].mean())))
    assert len(corners) == 4


def test_unbalanced_order_is_a_shuffle() -> None:
    order = augment.epoch_order(LABELS, 3, balanced=False, seed=0, epoch=2)
    assert sorted(order) == list(range(12))
    assert list(order) != list(range(12))


@given(rare=st.integers(1, 40), seed=st.integers(0, 2**31))
def test_balanced_order_draws_classes_equally_often(rare: int, seed: int) -> None:
    labels = np.array([1] * rare + [0] * (1000 - rare))
    order = augment.epoch_order(labels, 2, balanced=True, seed=seed, epoch=0)
    assert len(order) == 1000
    assert 400 < np.count_nonzero(labels[order] == 1) < 600  # six standard deviations


def test_orders_differ_between_epochs_and_seeds_only() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return augment.epoch_order(LABELS, 3, balanced=True, seed=seed, epoch=epoch).tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_class_weights_average_to_one_over_the_images() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    weights = augment.class_weights(labels, 2)
    assert weights[labels].mean() == pytest.approx(1)
    assert weights[1] / weights[0] == pytest.approx(3)
    assert augment.class_weights(labels, 3).isfinite().all(), "a class without images is no division by zero"


@given(numbers=st.lists(st.integers(0, 2**31), min_size=1, max_size=3))
def test_seeds_fit_torch_and_differ(numbers: list[int]) -> None:
    seed = augment.seed_of(*numbers)
    assert 0 <= seed < 2**63
    assert seed != augment.seed_of(numbers[0] + 1, *numbers[1:])


def test_batches_are_counted_as_they_come() -> None:
    for count in (2, 7, 8, 9, 10):
        view = augment.EpochImages(PIXELS, LABELS, np.arange(count), augment.augmentation(32), 0, 0)
        assert len(list(augment.batches(view, 4, 0))) == augment.count_batches(count, 4)
