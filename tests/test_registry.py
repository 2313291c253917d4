import sys

import pytest

from melanoma_edge import registry
from melanoma_edge.errors import InputError


def test_names_are_the_files_and_load_nothing():
    before = set(sys.modules)
    found = registry.names("melanoma_edge.models")
    assert {"mobilenet_v2", "meshnet"} <= set(found)
    assert not {"melanoma_edge.models.mobilenet_v2"} & (set(sys.modules) - before)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown model 'resnet50': known are .*meshnet.*mobilenet_v2"):
        registry.load("melanoma_edge.models", "resnet50")


def test_a_name_cannot_reach_outside_the_room():
    with pytest.raises(InputError, match="unknown target"):
        registry.load("melanoma_edge.targets", "..cli")
