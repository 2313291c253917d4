"""What a training is given, checked before the first batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.errors import InputError
from melanoma_edge.models import Spec
from melanoma_edge.options import TrainOptions
from melanoma_edge.train.schedule import SCHEDULES

BALANCES = ("sampler", "loss", "none")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class TrainingData:
    """uint8 RGB images, usually memmaps, and class indices. Train images may be larger than the network's input.

    train_pixels: `[N,S',S',3]`, val_pixels: `[M,S,S,3]`; labels: integers `[N]` and `[M]`, indices into `classes`;
    `melanoma` is the index that the validation AUC is about. train_diagnoses: finer classes `[N]` than the labels,
    from 0 up without gaps, which a second head learns.
    """

    train_pixels: NDArray[np.uint8]
    train_labels: NDArray[np.integer]
    val_pixels: NDArray[np.uint8]
    val_labels: NDArray[np.integer]
    classes: tuple[str, ...]
    melanoma: int
    train_diagnoses: NDArray[np.integer] | None = None

    @property
    def diagnoses(self) -> int:
        """How many there are; 0 where they say no more than the labels."""
        if self.train_diagnoses is None:
            return 0
        count = len(np.unique(self.train_diagnoses))
        return count if count > len(self.classes) else 0


def check(spec: Spec, data: TrainingData, options: TrainOptions) -> None:
    """Raise InputError for choices that cannot be and for images or labels that the network cannot learn from."""
    _check_choices(options)
    size = spec.image_size
    if data.val_pixels.shape[1:] != (size, size, 3):
        raise InputError(f"validation images are {data.val_pixels.shape[1:]}, the network takes {(size, size, 3)}")
    if data.train_pixels.ndim != 4 or data.train_pixels.shape[-1] != 3 or min(data.train_pixels.shape[1:3]) < size:
        raise InputError(f"training images are {data.train_pixels.shape[1:]}: at least {(size, size, 3)} is accepted")
    if len(data.classes) != spec.num_classes:
        raise InputError(
            f"{len(data.classes)} classes in the data, {spec.num_classes} in the network: as many are accepted"
        )
    if data.train_diagnoses is not None and len(data.train_diagnoses) != len(data.train_labels):
        raise InputError(
            f"{len(data.train_diagnoses)} diagnoses for {len(data.train_labels)} training images: one each is accepted"
        )
    _check_labels("training", data.train_pixels, data.train_labels, data)
    _check_labels("validation", data.val_pixels, data.val_labels, data)


def _check_choices(options: TrainOptions) -> None:
    for name, value, known in (
        ("schedule", options.schedule, SCHEDULES),
        ("balance", options.balance, BALANCES),
        ("precision", options.precision, PRECISIONS),
        ("device", options.device, DEVICES),
    ):
        if value not in known:
            raise InputError(f"unknown {name} {value!r}: known are {', '.join(known)}")
    if options.frozen_epochs > options.epochs:
        raise InputError(f"{options.frozen_epochs} frozen epochs of {options.epochs}: they count among the epochs")
    if options.lr is None:
        raise InputError("no learning rate is set: a positive number is accepted")


def _check_labels(split: str, pixels: NDArray[np.uint8], labels: NDArray[np.integer], data: TrainingData) -> None:
    if pixels.dtype != np.uint8:
        raise InputError(f"{split} images are {pixels.dtype}: uint8 is accepted")
    if len(pixels) != len(labels):
        raise InputError(f"{len(pixels)} {split} images and {len(labels)} labels: one label an image is accepted")
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(data.classes):
        raise InputError(
            f"{split} labels run from {labels.min()} to {labels.max()}: 0 to {len(data.classes) - 1} is accepted, for "
            f"the classes {', '.join(data.classes)}"
        )
    melanomas = int(np.count_nonzero(labels == data.melanoma))
    if melanomas in {0, len(labels)}:
        raise InputError(
            f"{melanomas} of {len(labels)} {split} images are melanomas: both melanomas and others are needed"
        )
