"""Overlap and bootstrap against numbers known by formula."""

import numpy as np
import pytest

from livermre.evaluate import bootstrap_mean, dice, iou
from livermre.exam.errors import Contradiction, SettingsError


def test_half_shifted_squares_have_the_overlap_of_the_formula() -> None:
    a, b = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    a[:10, :10] = True
    b[:10, 5:15] = True
    assert dice(a, b) == pytest.approx(0.5)
    assert iou(a, b) == pytest.approx(1 / 3)


def test_dice_and_iou_obey_their_identity() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 30, 30)) < 0.4
    d, j = dice(a, b), iou(a, b)
    assert d is not None and j is not None
    assert j == pytest.approx(d / (2 - d))


def test_two_empty_masks_are_no_perfect_match() -> None:
    empty = np.zeros((4, 4), bool)
    assert dice(empty, empty) is None
    assert iou(empty, empty) is None
    assert dice(empty, ~empty) == 0


def test_different_shapes_are_refused() -> None:
    with pytest.raises(Contradiction, match="one shape"):
        dice(np.zeros((2, 2)), np.zeros((2, 3)))


def test_bootstrap_interval_matches_the_normal_interval_of_a_large_sample() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    mean, (low, high) = bootstrap_mean(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert mean == pytest.approx(values.mean())
    # 10,000 draws place a 2.5 % quantile within about 3 % of the half width
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.06)


def test_one_patient_has_no_interval() -> None:
    with pytest.raises(SettingsError, match="two patients"):
        bootstrap_mean(np.array([0.9]))
