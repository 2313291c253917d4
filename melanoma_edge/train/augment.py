"""Training images in the order of one epoch, each augmented in a way that depends on (seed, epoch, position) alone."""

import itertools
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

ROTATION = 20  # degrees; with flips and transposition every orientation is near one that was seen
Augment = Callable[[Tensor], Tensor]
Batches = Iterator[tuple[Tensor, Tensor]]


def augmentation(size: int) -> Augment:
    """uint8 `[3,S',S']` to uint8 `[3,size,size]`: a skin lesion has no up, and light and zoom differ between phones."""
    augment: Augment = v2.Compose(
        [
            v2.RandomRotation(ROTATION, interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomResizedCrop(size, scale=(0.6, 1.0), ratio=(0.85, 1.18), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.RandomApply([v2.Lambda(_transpose)], p=0.5),
            v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2),
        ]
    )
    return augment


def epoch_order(
    labels: NDArray[np.integer], classes: int, *, balanced: bool, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Image indices of one epoch, as many as labels: a shuffle, or drawn so that classes come equally often."""
    rng = np.random.default_rng((seed, epoch))
    if not balanced:
        return rng.permutation(len(labels))
    counts = np.bincount(labels, minlength=classes)
    weights = 1.0 / counts[labels]
    return rng.choice(len(labels), size=len(labels), p=weights / weights.sum())


def class_weights(labels: NDArray[np.integer], classes: int) -> Tensor:
    """float32 `[classes]`: weights in the loss, 1 on average over the images, by the root of a class's inverse share.

    The square root (Mahajan et al., arXiv:1805.00932, section 2.2) lets the rare class speak up, not drown the rest.
    """
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights = 1 / np.sqrt(counts)
    return torch.from_numpy((weights * len(labels) / (weights * counts).sum()).astype(np.float32))


@dataclass(frozen=True)
class EpochImages(Dataset[tuple[Tensor, Tensor]]):
    """One epoch's augmented images, uint8 `[3,S,S]`, and labels, int64 `[]` or `[L]`, by position in `order`."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.integer]
    order: NDArray[np.int64]
    augment: Augment
    seed: int
    epoch: int

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        index = self.order[position]
        image = torch.from_numpy(np.array(self.pixels[index])).permute(2, 0, 1)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed_of(self.seed, self.epoch, position))
            return self.augment(image), torch.from_numpy(np.array(self.labels[index], np.int64))


def count_batches(images: int, batch_size: int) -> int:
    """Batches in an epoch; a last batch of one image is left out, batch norm cannot learn from it."""
    return images // batch_size + (images % batch_size > 1)


def batches(images: EpochImages, batch_size: int, workers: int) -> Batches:
    """Batches of uint8 `[B,3,S,S]` and int64 `[B]` or `[B,L]` in order, the same whatever the number of workers."""
    loader = DataLoader(
        images,
        batch_size=batch_size,
        num_workers=workers,
        worker_init_fn=_leave_interrupts_to_the_parent if workers else None,
        multiprocessing_context="fork" if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    return itertools.islice(loader, count_batches(len(images), batch_size))


def seed_of(*numbers: int) -> int:
    """A 63-bit seed that differs in every number."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]) >> 1


def _transpose(image: Tensor) -> Tensor:
    return image.transpose(-1, -2)


def _leave_interrupts_to_the_parent(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
