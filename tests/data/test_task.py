import pytest

from melanoma_edge.data.task import HAM10000_CLASSES, TASKS
from melanoma_edge.errors import InputError


@pytest.mark.parametrize("name", ["mel", "melanoma", "malignant_melanoma"])
@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_melanoma_is_known_by_its_names(task, name):
    assert task.label(name) == task.melanoma


def test_binary_takes_any_other_diagnosis_as_other():
    assert {TASKS["binary"].label(name) for name in (*HAM10000_CLASSES, "wart")} == {0, 1}


def test_seven_has_one_logit_a_diagnosis_and_refuses_the_rest():
    assert [TASKS["seven"].label(name) for name in HAM10000_CLASSES] == list(range(7))
    with pytest.raises(InputError, match="'wart' is none of the task's classes"):
        TASKS["seven"].label("wart")
