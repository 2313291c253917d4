import pytest

from melanoma_edge.data.table import read_table, split_name, unique_rows
from melanoma_edge.errors import InputError


def written(tmp_path, content: str | bytes):
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_marks_case_blanks_and_short_rows_are_forgiven(tmp_path):
    path = written(tmp_path, '\ufeffImage_ID , DX\r\n a ,mel\r\n\r\nb\r\n"c,d",nv,extra\r\n')
    assert read_table(path) == [
        {"image_id": "a", "dx": "mel"},
        {"image_id": "b", "dx": ""},
        {"image_id": "c,d", "dx": "nv"},
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        (b"a,b\n\xff\xfe\n", "not a readable CSV"),
        ("a,A\n", "names a column twice"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, why):
    with pytest.raises(InputError, match=why):
        read_table(written(tmp_path, content))


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.csv"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize(("text", "name"), [("Train", "train"), ("valid", "val"), ("VALIDATION ", "val"), ("", "")])
def test_split_names(text, name):
    assert split_name(text, "here") == name


def test_an_unknown_split_is_refused():
    with pytest.raises(InputError, match="here: split 'holdout' is none of train, val, test"):
        split_name("holdout", "here")


def test_repeated_rows_count_once_and_contradictions_not_at_all():
    rows = [
        {"id": "a", "dx": "mel"},
        {"id": "a", "dx": "MEL"},
        {"id": "b", "dx": "mel"},
        {"id": "b", "dx": "nv"},
        {"id": "", "dx": "nv"},
    ]
    kept, problems = unique_rows(rows, "id", "dx", "table")
    assert list(kept) == ["a"]
    assert [(p.where, p.why.split(",")[0]) for p in problems] == [
        ("a", "duplicate row"),
        ("table row 6", "no id"),
        ("b", "its rows disagree on dx"),
    ]
