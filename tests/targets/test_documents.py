"""What packages are written with."""

import json

import pytest

from melanoma_edge.targets._documents import document, filled, listed, package_name


@pytest.mark.parametrize(
    ("bundle", "name"),
    [("guard", "guard"), ("HAM10000_MobileNet v2", "ham10000-mobilenet-v2"), ("-a..b-", "a-b"), ("é", "")],
)
def test_a_name_has_the_letters_that_registries_take(bundle: str, name: str) -> None:
    assert package_name(bundle) == (name or "melanoma-edge-network")


def test_words_in_capitals_are_filled_in_and_others_stay() -> None:
    text = "NAME is NAMED: see NAME.js, IMAGE and Precision.FLOAT32"
    assert filled(text, {"NAME": "it", "FLOAT": "no"}) == "it is NAMED: see it.js, IMAGE and Precision.FLOAT32"


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    assert filled("NAME LICENCE", {"NAME": "LICENCE", "LICENCE": "free"}) == "LICENCE free"


def test_a_file_is_listed_by_its_hash_and_size() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert listed(b"") == {"sha256": empty, "bytes": 0} and listed(b"abc")["bytes"] == 3


def test_a_document_is_json_with_one_line_end_and_finite_numbers() -> None:
    data = document({"b": [1.5], "a": "ä"})
    assert data.endswith(b"}\n") and list(json.loads(data)) == ["b", "a"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        document({"value": float("nan")})
