"""The comparison of two instruction sets: what is the same holds, and one altered bit does not."""

import numpy as np
import pytest

from melanoma_edge.verify.arm64 import (
    TOLERANCE,
    Answers,
    Arm64Report,
    CoreFigures,
    CoreRow,
    compare,
    complaints,
    judge,
    tolerance,
)
from melanoma_edge.verify.gates import INEXACT_LOGIT

N, CLASSES, THRESHOLD = 100, ("other", "melanoma"), 0.3
IDS = [f"image{i}" for i in range(N)]
LOGITS = np.random.default_rng(0).normal(0, 2, (N, 2)).astype(np.float32)
MAPS = np.random.default_rng(1).normal(0, 1, (N, 25)).astype(np.float32)


def figures(logits: np.ndarray, maps: np.ndarray | None = None) -> CoreFigures:
    told = {"ids": IDS, "classes": CLASSES, "melanoma": 1, "threshold": THRESHOLD}
    return compare(Answers(LOGITS, None if maps is None else MAPS), Answers(logits, maps), **told)


def passed(exact: bool, *rows: CoreFigures) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in judge("a.tflite", 0.0 if exact else TOLERANCE, rows)}


def said(row: CoreFigures, exact: bool) -> list[str]:
    held = {"exact": exact, "tolerance": 0.0 if exact else TOLERANCE, "holds": False}
    about = {"artifact": "a_int8.tflite", "sha256": "", "cpu": "cortex-a53", "x86_version": "", "arm64_version": ""}
    told = CoreRow(**vars(row), **about, **held)
    return complaints(Arm64Report(N, 1, N, THRESHOLD, TOLERANCE, "", (), "", {}, (told,)))


def test_the_same_bits_hold() -> None:
    row = figures(LOGITS.copy(), MAPS.copy())
    assert (row["images"], row["differing_images"], row["flips"], row["worst"]) == (N, 0, 0, None)
    assert row["max_abs_dlogit"] == row["max_abs_dp"] == row["max_abs_dheat"] == 0
    assert all(passed(True, row, row).values()) and all(passed(False, row).values())


@pytest.mark.parametrize("image", [0, 57, N - 1])
def test_one_bit_of_one_image_fails_an_int8_file_and_is_named(image: int) -> None:
    altered = LOGITS.copy()
    altered[image, 1] = np.nextafter(altered[image, 1], np.float32(99))
    row = figures(altered)
    assert row["differing_images"] == 1 and 0 < row["max_abs_dlogit"] < 1e-5
    assert not passed(True, row)["max_arm64_differing_images"] and passed(False, row)["max_arm64_dlogit"]
    (line,) = said(row, True)
    assert line.startswith("PARITY: a_int8.tflite on cortex-a53") and f"'image{image}'" in line
    assert "the same bits" in line and f"{LOGITS[image, 1]:.9g}" in line and f"{altered[image, 1]:.9g}" in line


def test_minus_zero_is_not_the_same_bits() -> None:
    zero, minus = np.zeros((N, 2), np.float32), np.zeros((N, 2), np.float32)
    minus[3, 0] = -0.0
    told = {"ids": IDS, "classes": CLASSES, "melanoma": 1, "threshold": THRESHOLD}
    assert compare(Answers(zero), Answers(minus), **told)["differing_images"] == 1


def test_a_float_file_has_a_tolerance_and_no_more() -> None:
    inside, outside = LOGITS.copy(), LOGITS.copy()
    inside[5, 0] += TOLERANCE / 2
    outside[5, 0] += TOLERANCE * 2
    assert passed(False, figures(inside))["max_arm64_dlogit"]
    assert not passed(False, figures(inside), figures(outside))["max_arm64_dlogit"]
    assert f"within {TOLERANCE:g}" in said(figures(outside), False)[0]


def test_an_int8_file_of_an_inexact_graph_has_a_stated_tolerance() -> None:
    assert (tolerance("int8", True), tolerance("int8", False)) == (0.0, INEXACT_LOGIT)
    assert tolerance("float32", False) == tolerance("float32", True) == TOLERANCE
    inside, outside = LOGITS.copy(), LOGITS.copy()
    inside[5, 0] += np.float32(INEXACT_LOGIT / 2)
    outside[5, 0] += np.float32(INEXACT_LOGIT * 2)
    logits, flips = judge("a_int8.tflite", INEXACT_LOGIT, [figures(inside)])
    assert logits.passed and logits.name == "max_arm64_dlogit" and "inexact_nodes" in logits.reason
    assert flips.limit == 0
    assert not judge("a_int8.tflite", INEXACT_LOGIT, [figures(outside)])[0].passed


def test_a_decision_that_differs_fails_whatever_the_tolerance() -> None:
    p = 1 / (1 + np.exp(LOGITS[:, 0].astype(float) - LOGITS[:, 1]))
    i = int(np.abs(p - THRESHOLD).argmin())
    told = {"ids": IDS, "classes": CLASSES, "melanoma": 1, "threshold": float(p[i])}
    altered = LOGITS.copy()
    altered[i, 1] -= np.float32(1e-6)
    row = compare(Answers(LOGITS), Answers(altered), **told)
    assert row["flips"] == 1 and passed(False, row) == {"max_arm64_dlogit": True, "max_arm64_flips": False}


@pytest.mark.parametrize("what", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("exact", [True, False])
def test_what_is_no_number_on_one_side_fails(what: float, exact: bool) -> None:
    altered = LOGITS.copy()
    altered[7] = what
    row = figures(altered)
    assert not all(passed(exact, row).values()) and row["worst"].image_id == "image7"


def test_a_heat_map_that_differs_fails() -> None:
    maps = MAPS.copy()
    maps[9, 3] += TOLERANCE * 3
    row = figures(LOGITS, maps)
    assert passed(True, row) == {
        "max_arm64_differing_images": True,
        "max_arm64_flips": True,
        "max_arm64_dheat": False,
    }


def test_without_a_run_nothing_holds() -> None:
    assert not any(passed(True).values()) and not any(passed(False).values())
