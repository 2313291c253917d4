"""The history is a table that reads back as it was."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from melanoma_edge.train.history import Epoch, best, to_csv

numbers = st.floats(0, 1e6)
epochs = st.builds(
    Epoch, st.integers(1, 99), st.sampled_from(["frozen", "full"]), numbers, numbers, numbers, numbers, numbers
)


@given(rows=st.lists(epochs, min_size=1, max_size=5))
def test_csv_keeps_every_digit(rows: list[Epoch]) -> None:
    read = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert [[float(row[k]) for k in ("lr", "train_loss", "val_loss", "val_auc", "seconds")] for row in read] == [
        [row.lr, row.train_loss, row.val_loss, row.val_auc, row.seconds] for row in rows
    ]
    assert [(int(row["epoch"]), row["phase"]) for row in read] == [(row.epoch, row.phase) for row in rows]


@given(rows=st.lists(epochs, min_size=1, max_size=5))
def test_the_best_is_the_first_highest(rows: list[Epoch]) -> None:
    kept = best(rows)
    assert all(row.val_auc <= kept.val_auc for row in rows)
    assert all(row.val_auc < kept.val_auc for row in rows[: rows.index(kept)])
