import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from melanoma_edge.data.task import TASKS
from melanoma_edge.errors import InputError
from melanoma_edge.verify.predictions import Predictions, concatenate, predict_split, read_csv, softmax, write_csv


def example(n: int = 4, *, split: str = "test") -> Predictions:
    rng = np.random.default_rng(n)
    logits = rng.normal(size=(n, 2)).astype(np.float32)
    ids = tuple(f"{split}_{i}" for i in range(n))
    return Predictions(ids, (split,) * n, np.arange(n, dtype=np.int64) % 2, logits, 1, ("other", "melanoma"))


def test_probability_is_softmax_of_melanoma():
    one = Predictions(
        ("a",), ("test",), np.array([1]), np.array([[0, math.log(3)]], np.float32), 1, ("other", "melanoma")
    )
    assert one.p.dtype == np.float64
    assert one.p[0] == pytest.approx(0.75, abs=1e-7)


def test_softmax_is_stable_and_nan_stays_nan():
    p = softmax(np.array([[3e38, -3e38], [-np.inf, 0], [np.nan, 0], [np.inf, 0]], np.float32))
    assert p[:2].tolist() == [[1, 0], [0, 1]]
    assert np.isnan(p[2:]).all()


def test_only_keeps_order_and_concatenate_undoes_it():
    val, test = example(3, split="val"), example(4)
    both = concatenate([val, test])
    assert both.only("test").ids == test.ids
    np.testing.assert_array_equal(both.only("val").logits, val.logits)
    assert len(both.only("train")) == 0


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(2)), elements=st.floats(width=32)))
def test_csv_gives_every_float32_back(tmp_path_factory: pytest.TempPathFactory, logits: np.ndarray):
    n = len(logits)
    ids = tuple(f'odd, "id"\n{i}' for i in range(n))
    written = Predictions(ids, ("val",) * n, np.zeros(n, np.int64), logits, 1, ("other", "melanoma"))
    path = tmp_path_factory.mktemp("csv") / "predictions.csv"
    write_csv(path, written)
    read = read_csv(path)
    np.testing.assert_array_equal(read.logits, logits)
    assert (read.ids, read.splits, read.classes, read.melanoma) == (ids, written.splits, written.classes, 1)


def test_seven_classes_round_trip(tmp_path: Path):
    task = TASKS["seven"]
    logits = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    ids = tuple("abcdefg")
    write_csv(tmp_path / "p.csv", Predictions(ids, ("test",) * 7, np.arange(7), logits, task.melanoma, task.classes))
    read = read_csv(tmp_path / "p.csv")
    assert (read.melanoma, read.classes) == (task.melanoma, task.classes)
    assert read.labels.tolist() == list(range(7))


HEADER = "image_id,split,label,logit_other,logit_melanoma,p_melanoma"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns \\(none\\)"),
        ("image_id,p_melanoma\na,0.5\n", "accepted is image_id,split,label"),
        (f"{HEADER}\na,test,other,0,0\n", "row 2: 5 columns, 6 are accepted"),
        (f"{HEADER}\na,test,nevus,0,0,0.5\n", "row 2: label 'nevus' is none of other, melanoma"),
        (f"{HEADER}\na,test,other,0,zero,0.5\n", "row 2: 'zero' is not a number"),
        (f"{HEADER}\na,test,other,0,0,0.5\nb,test,other,0,0,0.6\n", "row 3: p_melanoma is 0.6, but the logits of 'b'"),
        (
            f"{HEADER}\na,test,other,0,0,0.5\na,val,other,0,0,0.5\n",
            "image id 'a' stands in the predictions more than once",
        ),
        (f"{HEADER.replace('logit_melanoma', 'logit_nevus')}\n", "exactly one of the classes other, nevus"),
        (f'{HEADER}\n"a,test', "is not a CSV file in UTF-8"),
    ],
)
def test_malformed_csv_is_refused_in_one_line(tmp_path: Path, text: str, said: str):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_csv(path)
    assert "\n" not in str(caught.value)


def test_binary_and_missing_files_are_refused(tmp_path: Path):
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="not a CSV file in UTF-8"):
        read_csv(tmp_path / "p.csv")
    with pytest.raises(InputError, match="does not exist"):
        read_csv(tmp_path / "none.csv")


def test_lengths_and_labels_must_fit():
    ids, splits, classes = ("a",), ("test",), ("other", "melanoma")
    with pytest.raises(InputError, match=r"logits \[1, 2\]"):
        Predictions(ids, splits, np.array([0]), np.zeros((1, 3), np.float32), 1, classes)
    with pytest.raises(InputError, match=r"0\.\.1"):
        Predictions(ids, splits, np.array([2]), np.zeros((1, 2), np.float32), 1, classes)


def test_predict_split_maps_images_in_chunks_and_reports():
    pixels = np.zeros((150, 2, 2, 3), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(150)
    seen: list[tuple[int, int]] = []
    largest = 0

    def predict(chunk: np.ndarray) -> np.ndarray:
        nonlocal largest
        largest = max(largest, len(chunk))
        value = chunk[:, 0, 0, 0].astype(np.float32)
        return np.stack([-value, value], axis=1)

    got = predict_split(
        predict,
        pixels,
        ids=[str(i) for i in range(150)],
        labels=np.zeros(150, np.int64),
        split="val",
        task=TASKS["binary"],
        progress=lambda task, done, total, detail="": seen.append((done, total)),
    )
    np.testing.assert_array_equal(got.logits[:, 1], np.arange(150))
    assert largest == 64
    assert seen == [(64, 150), (128, 150), (150, 150)]


def test_predict_split_refuses_an_empty_split_and_another_number_of_classes():
    arguments = {"ids": ["a"], "labels": np.zeros(1, np.int64), "split": "val", "task": TASKS["binary"]}
    with pytest.raises(InputError, match="val split has no images"):
        predict_split(lambda x: x, np.zeros((0, 2, 2, 3), np.uint8), **arguments)
    with pytest.raises(InputError, match="gives 7 logits, but task 'binary' has 2 classes"):
        predict_split(lambda x: np.zeros((1, 7), np.float32), np.zeros((1, 2, 2, 3), np.uint8), **arguments)
