import numpy as np
import pytest

from melanoma_edge.data.lesions import HEIGHT, WIDTH, draw_lesion, paint, photograph
from melanoma_edge.data.task import HAM10000_CLASSES


@pytest.mark.parametrize("diagnosis", HAM10000_CLASSES)
def test_every_diagnosis_is_drawn_on_skin(diagnosis):
    lesion = draw_lesion(diagnosis, (0, 1, 5))
    canvas = paint(lesion)
    assert 0.02 < (canvas.opacity > 0.5).mean() < 0.8
    assert canvas.opacity[[0, -1]].max() == canvas.opacity[:, [0, -1]].max() == 0
    image = photograph(lesion, canvas, 0)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert image.std() > 5


def test_the_same_key_and_view_give_the_same_pixels():
    first, again = (photograph(lesion, paint(lesion), 1) for lesion in (draw_lesion("mel", (0, 1, 5)),) * 2)
    np.testing.assert_array_equal(first, again)
    lesion = draw_lesion("mel", (0, 1, 5))
    assert (photograph(lesion, paint(lesion), 2) != first).mean() > 0.5
    assert draw_lesion("mel", (0, 1, 6)) != lesion


def test_melanomas_are_graded_higher_than_naevi_with_an_overlap():
    grades = {
        diagnosis: np.array(
            [
                [x.asymmetry, x.border, x.colour, x.diameter]
                for x in (draw_lesion(diagnosis, (0, 1, i)) for i in range(300))
            ]
        )
        for diagnosis in ("mel", "nv")
    }
    assert (grades["mel"].mean(axis=0) - grades["nv"].mean(axis=0) > 0.25).all()
    total = {diagnosis: g.sum(axis=1) for diagnosis, g in grades.items()}
    assert np.quantile(total["mel"], 0.1) < np.quantile(total["nv"], 0.9)
