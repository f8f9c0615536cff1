"""Overlap and bootstrap against numbers known by formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from sklearn import metrics

from livermre.evaluate import bootstrap_mean, dice, iou
from livermre.evaluate.empty import Cases, count_cases
from livermre.evaluate.overlap import Overlap, overlap, overlap_of_slices, pooled
from livermre.evaluate.purity import purity
from livermre.exam.errors import Contradiction, SettingsError

MASKS = arrays.arrays(bool, (2, 3, 4, 5))


def squares() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    a[:10, :10] = True
    b[:10, 5:15] = True
    return a, b


def test_half_shifted_squares_have_the_overlap_of_the_formula() -> None:
    a, b = squares()
    assert dice(a, b) == pytest.approx(0.5)
    assert iou(a, b) == pytest.approx(1 / 3)


def test_dice_and_iou_obey_their_identity() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 30, 30)) < 0.4
    d, j = dice(a, b), iou(a, b)
    assert d is not None and j is not None
    assert j == pytest.approx(d / (2 - d))


def test_every_measure_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 4, 30, 30)) < 0.3
    found = overlap(a, b)
    truth, guess = b.ravel(), a.ravel()
    assert found.dice == pytest.approx(metrics.f1_score(truth, guess))
    assert found.iou == pytest.approx(metrics.jaccard_score(truth, guess))
    assert found.precision == pytest.approx(metrics.precision_score(truth, guess))
    assert found.recall == pytest.approx(metrics.recall_score(truth, guess))


def test_sizes_are_those_of_the_grid() -> None:
    found = overlap(*squares(), (2.0, 1.5))
    assert (found.both, found.found, found.true, found.unit) == (150, 300, 300, "mm2")
    a, b = (np.stack([m, m]) for m in squares())
    b[1, :, 10:] = False  # half of the truth gone on one slice
    found = overlap(a, b, (10, 2.0, 1.5))
    assert (found.found, found.true, found.unit) == (6000, 4500, "mm3")
    assert (found.difference, found.difference_percent) == (1500, pytest.approx(100 / 3))


def test_slices_exam_and_pool_are_three_things() -> None:
    """A large good slice and a small bad one: mean of slices 0.5, pooled 200/204."""
    a, b = np.zeros((2, 20, 20), bool), np.zeros((2, 20, 20), bool)
    a[0, :10, :10] = b[0, :10, :10] = True
    a[1, 0, :2], b[1, 1, :2] = True, True
    slices = overlap_of_slices(a, b, (1, 1))
    assert [s.dice for s in slices] == [1, 0]
    assert pooled(slices).dice == overlap(a, b).dice == pytest.approx(200 / 204)
    # pooling weighs by size, whatever the pixel
    fine, coarse = Overlap(100, 100, 100, "mm2"), Overlap(0, 1, 1, "mm2")
    assert pooled([fine, coarse]).dice == pytest.approx(200 / 202)


@pytest.mark.parametrize(
    ("found", "true", "case", "expected"),
    [
        (0, 0, "empty", (None, None, None, None, None)),
        (0, 1, "missed", (0, 0, None, 0, -100)),
        (1, 0, "invented", (0, 0, 0, None, None)),
        (1, 1, "compared", (1, 1, 1, 1, 0)),
    ],
)
def test_the_rule_for_empty_masks(found: int, true: int, case: str, expected: tuple) -> None:
    made = overlap(np.full((4, 4), found), np.full((4, 4), true))
    assert made.case == case
    assert (made.dice, made.iou, made.precision, made.recall, made.difference_percent) == expected


def test_cases_are_counted() -> None:
    assert count_cases(["missed", "compared", "compared", "empty"]) == Cases(2, 1, 0, 1)


def test_two_empty_masks_are_no_perfect_match() -> None:
    empty = np.zeros((4, 4), bool)
    assert dice(empty, empty) is None
    assert iou(empty, empty) is None
    assert dice(empty, ~empty) == 0


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_laws_of_overlap(both: np.ndarray) -> None:
    a, b = both
    one, other = overlap(a, b), overlap(b, a)
    assert one.dice == other.dice and one.iou == other.iou and one.precision == other.recall
    assert one.difference == -other.difference
    if one.dice is not None and one.iou is not None:
        assert one.dice == pytest.approx(2 * one.iou / (1 + one.iou))
        assert one.iou <= one.dice
    if one.dice and one.precision and one.recall:
        assert one.dice == pytest.approx(2 / (1 / one.precision + 1 / one.recall))
    assert pooled(overlap_of_slices(a, b)) == one
    # a finer grid of the same shapes changes nothing
    fine = overlap(np.kron(a, np.ones((1, 2, 2), bool)), np.kron(b, np.ones((1, 2, 2), bool)), (1, 0.5, 0.5))
    assert (fine.both, fine.found, fine.true) == (one.both, one.found, one.true)


def test_wrong_masks_are_refused() -> None:
    with pytest.raises(Contradiction, match="one shape"):
        dice(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(SettingsError, match=r"0 and 1 only, found 0\.7"):
        dice(np.array([0.7, 1.0]), np.array([1, 1]))
    with pytest.raises(SettingsError, match="0 and 1 only, found nan"):
        dice(np.array([np.nan, 1.0]), np.array([1, 1]))
    with pytest.raises(SettingsError, match="2 dimensions needs as many"):
        overlap(np.ones((2, 2)), np.ones((2, 2)), (1, 1, 1))
    with pytest.raises(SettingsError, match="above 0 mm"):
        overlap(np.ones((2, 2)), np.ones((2, 2)), (1, 0))
    with pytest.raises(Contradiction, match=r"\[slice, row, column\]"):
        overlap_of_slices(np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(Contradiction, match="one unit, found mm2, pixels"):
        pooled([overlap(np.ones((2, 2)), np.ones((2, 2))), overlap(np.ones((2, 2)), np.ones((2, 2)), (1, 1))])
    with pytest.raises(Contradiction, match="found none"):
        pooled([])


def test_purity_counts_a_pixel_on_two_places_once() -> None:
    region, edge, vessel = np.zeros((3, 10, 10), bool)
    region[2:8, 2:8] = True  # 36 pixels
    edge[2] = True  # 6 of them
    vessel[:, 2] = True  # 6, one of them on the edge
    found = purity(region, {"edge": edge, "vessel": vessel})
    assert found.pixels == 36
    assert found.share == {"edge": 6 / 36, "vessel": 6 / 36}
    assert found.pure == pytest.approx(1 - 11 / 36)


def test_purity_of_nothing_is_nothing() -> None:
    nothing = np.zeros((4, 4), bool)
    found = purity(nothing, {"edge": ~nothing})
    assert (found.pure, dict(found.share), found.reason) == (None, {"edge": None}, "the region is empty")
    assert purity(~nothing, {}).pure == 1
    with pytest.raises(Contradiction, match="one shape"):
        purity(nothing, {"edge": np.zeros((4, 5))})


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
