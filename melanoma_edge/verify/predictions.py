"""Predictions: the logits of one network on known images, and the CSV file in which they are kept."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.pixels import in_chunks
from melanoma_edge.data.task import MELANOMA_NAMES, Task
from melanoma_edge.errors import InputError
from melanoma_edge.progress import Progress, silent

CHUNK = 64  # images between two calls of the progress
FIXED = ("image_id", "split", "label")
LOGIT, P_MELANOMA = "logit_", "p_melanoma"
P_TOLERANCE = 1e-6  # of the p_melanoma column, which follows from the logits


@dataclass(frozen=True, eq=False)
class Predictions:
    """N images in a fixed order. `melanoma` is the index of melanoma in `classes` and in the logits.

    Raises InputError when lengths, labels or classes do not fit each other, or an id stands twice.
    """

    ids: tuple[str, ...]
    splits: tuple[str, ...]
    labels: NDArray[np.int64]  # [N], class index
    logits: NDArray[np.float32]  # [N, K]
    melanoma: int
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        n, k = len(self.ids), len(self.classes)
        if (len(self.splits), self.labels.shape, self.logits.shape) != (n, (n,), (n, k)):
            raise InputError(
                f"{n} ids and {k} classes need {n} splits, labels [{n}] and logits [{n}, {k}]: got {len(self.splits)}, "
                f"{list(self.labels.shape)} and {list(self.logits.shape)}"
            )
        if not 0 <= self.melanoma < k or (n and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < k):
            raise InputError(f"the melanoma index and the labels must lie in 0..{k - 1}: one class index per name")
        if len(set(self.ids)) != n:
            twice = next(i for i, later in zip(sorted(self.ids), sorted(self.ids)[1:], strict=False) if i == later)
            raise InputError(f"image id {twice!r} stands in the predictions more than once")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def p(self) -> NDArray[np.float64]:
        """Probability of melanoma `[N]`: the softmax of the logits, in float64."""
        return softmax(self.logits)[:, self.melanoma]

    @property
    def is_melanoma(self) -> NDArray[np.bool_]:
        """True where the label is melanoma `[N]`."""
        mask: NDArray[np.bool_] = self.labels == self.melanoma
        return mask

    def only(self, split: str) -> "Predictions":
        """The images of one split, in order."""
        keep = np.array([s == split for s in self.splits], bool)
        ids, splits = (tuple(v for v, k in zip(values, keep, strict=True) if k) for values in (self.ids, self.splits))
        return replace(self, ids=ids, splits=splits, labels=self.labels[keep], logits=self.logits[keep])


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis in float64, stable for logits of any size. A row with NaN or +infinity is NaN."""
    wide = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        exponential = np.exp(wide - wide.max(axis=-1, keepdims=True))
        probability: NDArray[np.float64] = exponential / exponential.sum(axis=-1, keepdims=True)
        return probability


def predict_split(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    pixels: NDArray[np.uint8],
    *,
    ids: Sequence[str],
    labels: NDArray[np.int64],
    split: str,
    task: Task,
    progress: Progress = silent,
) -> Predictions:
    """Run a network over the images of one split: uint8 `[N, S, S, 3]`, a memory map too, CHUNK images at a time.

    Raises InputError when the split is empty, or the network gives another number of logits than the task's classes.
    """
    if not len(pixels):
        raise InputError(f"the {split} split has no images to predict")
    logits = np.empty((len(pixels), len(task.classes)), np.float32)
    done = 0
    for images in in_chunks(pixels, CHUNK):
        chunk = predict(images)
        if chunk.shape[1] != len(task.classes):
            raise InputError(
                f"the network gives {chunk.shape[1]} logits, but task {task.name!r} has {len(task.classes)} classes: "
                f"{', '.join(task.classes)}"
            )
        logits[done : done + len(chunk)] = chunk
        done += len(chunk)
        progress(f"predicting {split}", done, len(pixels))
    splits = (split,) * len(pixels)
    return Predictions(tuple(ids), splits, labels.astype(np.int64), logits, task.melanoma, task.classes)


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Several splits' predictions by one network as one. Raises InputError when an id stands in two."""
    ids = tuple(i for part in parts for i in part.ids)
    splits = tuple(s for part in parts for s in part.splits)
    labels, logits = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "logits"))
    return replace(parts[0], ids=ids, splits=splits, labels=labels, logits=logits)


def write_csv(path: Path, predictions: Predictions) -> None:
    """Write columns image_id, split, label (class name), logit_<class>..., p_melanoma; atomically.

    Nine significant digits give every float32 back exactly.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*FIXED, *(LOGIT + name for name in predictions.classes), P_MELANOMA])
    names = [predictions.classes[label] for label in predictions.labels]
    rows = zip(predictions.ids, predictions.splits, names, predictions.logits, predictions.p, strict=True)
    for image_id, split, name, logits, p in rows:
        writer.writerow([image_id, split, name, *(f"{value:.9g}" for value in logits), f"{p:.9g}"])
    write_atomic(path, text.getvalue())


def read_csv(path: Path) -> Predictions:
    """What `write_csv` wrote; NaN and infinite logits stay what they are.

    Raises InputError, naming the row, when a column, a number or a class is missing or unknown, when p_melanoma does
    not follow from the logits, or when no class or several are melanoma.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            classes = _classes(path, next(reader, []))
            rows = list(_rows(path, reader, classes))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: name a predictions.csv that melanoma-edge wrote") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error})") from None
    labels = np.array([classes.index(row[2]) for row in rows], np.int64)
    shape = (len(rows), len(classes) + 1)
    table = np.array([[float(cell) for cell in row[3:]] for row in rows], np.float64).reshape(shape)
    melanoma = next(i for i, name in enumerate(classes) if name in MELANOMA_NAMES)
    ids, splits = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    with np.errstate(over="ignore"):  # what exceeds float32 is infinite
        logits = table[:, :-1].astype(np.float32)
    predictions = Predictions(ids, splits, labels, logits, melanoma, classes)
    _check_p(path, predictions, table[:, -1])
    return predictions


def _classes(path: Path, header: list[str]) -> tuple[str, ...]:
    """Class names of the header's logit columns."""
    classes = tuple(column.removeprefix(LOGIT) for column in header[len(FIXED) : -1])
    melanomas = [name for name in classes if name in MELANOMA_NAMES]
    if header != [*FIXED, *(LOGIT + name for name in classes), P_MELANOMA] or len(set(classes)) < 2:
        wanted = f"{','.join(FIXED)},{LOGIT}<class>...,{P_MELANOMA}"
        raise InputError(f"{path} has the columns {','.join(header) or '(none)'}; accepted is {wanted}")
    if len(melanomas) != 1:
        known = ", ".join(sorted(MELANOMA_NAMES))
        raise InputError(f"{path}: exactly one of the classes {', '.join(classes)} must be melanoma ({known})")
    return classes


def _rows(path: Path, reader: Iterator[list[str]], classes: tuple[str, ...]) -> Iterator[list[str]]:
    """The rows below the header, each checked."""
    width = len(FIXED) + len(classes) + 1
    for number, row in enumerate(reader, start=2):
        if len(row) != width:
            raise InputError(f"{path}, row {number}: {len(row)} columns, {width} are accepted")
        if row[2] not in classes:
            raise InputError(f"{path}, row {number}: label {row[2]!r} is none of {', '.join(classes)}")
        for cell in row[3:]:
            try:
                float(cell)
            except ValueError:
                raise InputError(f"{path}, row {number}: {cell!r} is not a number") from None
        yield row


def _check_p(path: Path, predictions: Predictions, stated: NDArray[np.float64]) -> None:
    """Raise InputError unless the stated probabilities follow from the logits, so that no one edits half a row."""
    wrong = ~np.isclose(predictions.p, stated, rtol=0, atol=P_TOLERANCE, equal_nan=True)
    if wrong.any():
        i = int(wrong.argmax())
        raise InputError(
            f"{path}, row {i + 2}: {P_MELANOMA} is {stated[i]:.9g}, but the logits of {predictions.ids[i]!r} give "
            f"{predictions.p[i]:.9g}"
        )
