from collections import Counter

import numpy as np
import pytest

from melanoma_edge.data.open import open_dataset
from melanoma_edge.data.preprocess import load_pixels
from melanoma_edge.data.sources import synthetic as source
from melanoma_edge.data.task import HAM10000_CLASSES, TASKS
from melanoma_edge.errors import InputError


def files(dataset):
    return {s.id: s.path.read_bytes() for s in dataset.samples}


def test_the_same_seed_gives_the_same_pixels_whatever_the_count(synthetic_cache):
    few, more, other = (source.load(spec) for spec in ("12,3", "30,3", "12,4"))
    assert len(few.samples) == 12
    more_files = files(more)
    assert all(more_files[name] == content for name, content in files(few).items())
    assert not set(files(few).values()) & set(files(other).values())


def test_it_says_that_it_is_not_clinical(synthetic_cache):
    found = source.load("12,3")
    assert (found.clinical, found.licence) == (False, "generated")
    assert "not patients" in source.__doc__.splitlines()[0]


def test_the_classes_are_there_in_their_shares_and_lesions_have_a_few_images():
    plan = source._plan(3000, 0)
    assert sum(lesion.views for lesion in plan) == 3000
    images = Counter()
    for lesion in plan:
        images[lesion.diagnosis] += lesion.views
    assert set(images) == set(HAM10000_CLASSES)
    assert images["mel"] / 3000 == pytest.approx(0.2, abs=0.02)
    assert {lesion.views for lesion in plan} == {1, 2, 3}


def test_a_default_set_serves_both_tasks():
    for count in (source.COUNT, 120):
        lesions = Counter(lesion.diagnosis for lesion in source._plan(count, 0))
        assert min(lesions.values()) >= 3


def test_two_views_of_a_lesion_differ_and_stay_in_one_split(synthetic_cache):
    found = open_dataset("synthetic:90", TASKS["binary"])
    group = next(g for g, n in Counter(s.group for s in found.samples).items() if n > 1)
    views = [s for s in found.samples if s.group == group]
    assert len({s.split for s in views}) == 1
    assert len({s.path.read_bytes() for s in views}) == len(views)


def test_a_rendered_set_is_used_again_and_a_broken_off_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    render = source._render

    def fails_late(planned, seed, folder):
        if planned.number > 3:
            raise KeyboardInterrupt
        return render(planned, seed, folder)

    monkeypatch.setattr(source, "_render", fails_late)
    with pytest.raises(KeyboardInterrupt):
        source.load("10")
    assert list((tmp_path / "melanoma-edge").iterdir()) == []
    monkeypatch.setattr(source, "_render", render)
    calls = []
    source.load("10", lambda *facts: calls.append(facts))
    assert calls[-1] == ("rendering lesions", 10, 10)
    monkeypatch.setattr(source, "_render", fails_late)
    assert len(source.load("10").samples) == 10


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="set XDG_CACHE_HOME"):
        source.load("10")


@pytest.mark.parametrize("location", ["many", "-3", "0", "10,", "1,2,3", "1.5", "200000"])
def test_a_bad_count_or_seed_is_refused(location):
    with pytest.raises(InputError, match=r"synthetic (takes COUNT|makes 1 to 100,000)"):
        source.load(location)


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    ahead = scores[positive][:, None] - scores[~positive][None]
    return float((ahead > 0).mean() + 0.5 * (ahead == 0).mean())


def test_melanoma_differs_from_the_rest_but_not_trivially(synthetic_cache):
    """Simple colour and size statistics find melanoma better than chance, and do not solve the task."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    found = source.load("300")
    pixels = np.stack([load_pixels(s.path, 48) for s in found.samples])[:, 8:40, 8:40].reshape(300, -1, 3) / 255.0
    grey = pixels.mean(axis=2)
    quantiles = np.quantile(grey, [0.02, 0.1, 0.25, 0.5, 0.75], axis=1).T
    features = np.concatenate(
        [pixels.mean(axis=1), pixels.std(axis=1), quantiles, np.ptp(pixels, axis=2).std(axis=1)[:, None]], axis=1
    )
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    positive = np.array([s.diagnosis == "mel" for s in found.samples])
    model = LogisticRegression(class_weight="balanced")
    assert 0.7 < auc(cross_val_predict(model, features, positive, method="decision_function"), positive) < 0.97
