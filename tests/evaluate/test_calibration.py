"""Calibration against statsmodels, scikit-learn and hand-made tables."""

from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from livermre.evaluate.calibration import calibration
from livermre.evaluate.interval import Interval
from livermre.evaluate.reliability import brier, expected_calibration_error, reliability
from livermre.exam.errors import Contradiction, SettingsError


def cohort(seed: int = 0, n: int = 300, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and chances whose log odds must be taken times `slope` plus `shift` to be right."""
    rng = np.random.default_rng(seed)
    chance = expit(rng.normal(0, 1.5, n))
    return rng.random(n) < expit(shift + slope * logit(chance)), chance


def all_of(found: Interval) -> tuple[float | None, float | None, float | None]:
    return found.estimate, found.low, found.high


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, -1.0), (-0.7, 0.3), (4.0, 2.0)])
def test_slope_and_intercept_are_those_of_statsmodels(slope: float, shift: float) -> None:
    truth, chance = cohort(1, slope=slope, shift=shift)
    known = sm.Logit(truth.astype(float), sm.add_constant(logit(chance))).fit(disp=0)
    limits = known.conf_int()
    found = calibration(truth, chance)
    assert all_of(found.intercept) == pytest.approx((known.params[0], *limits[0]), rel=1e-5, abs=1e-7)
    assert all_of(found.slope) == pytest.approx((known.params[1], *limits[1]), rel=1e-5)
    binomial = sm.families.Binomial()
    fixed = sm.GLM(truth.astype(float), np.ones(300), family=binomial, offset=logit(chance)).fit()
    assert all_of(found.in_the_large) == pytest.approx((fixed.params[0], *fixed.conf_int()[0]), rel=1e-5, abs=1e-7)
    perfect = np.log(np.where(truth, chance, 1 - chance)).sum()
    assert found.p_perfect == pytest.approx(np.exp(-(known.llf - perfect)), rel=1e-6)  # chi-square with 2 df


def test_observed_over_expected_by_hand() -> None:
    truth, chance = np.repeat([1, 0], [30, 70]), np.full(100, 0.2)
    found = calibration(truth, chance)
    half = 1.959964 * np.sqrt(0.7 / 30)
    assert all_of(found.observed_over_expected) == pytest.approx((1.5, 1.5 * np.exp(-half), 1.5 * np.exp(half)))
    assert found.in_the_large.estimate == pytest.approx(logit(0.3) - logit(0.2))
    assert found.slope.estimate is None and "all predicted chances are equal" in str(found.slope.reason)


def test_classes_apart_have_no_slope_but_all_else() -> None:
    complete = calibration([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    reversed_ = calibration([1, 1, 1, 0, 0, 0], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    touching = calibration([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.5, 0.5, 0.7, 0.8])
    for found in (complete, reversed_, touching):
        assert found.slope.estimate is None and found.p_perfect is None
        assert "part the classes completely" in str(found.slope.reason)
        assert found.in_the_large.estimate is not None and found.observed_over_expected.estimate is not None
    one_step = calibration([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.49, 0.51, 0.7, 0.8])
    assert one_step.slope.estimate is not None and one_step.slope.estimate > 1


def test_certain_chances_are_clipped_and_counted() -> None:
    truth, chance = cohort(2)
    chance[:3], truth[:3] = [0.0, 1.0, 1.0], [False, True, True]
    found = calibration(truth, chance)
    assert found.clipped == 3
    same = calibration(truth, np.clip(chance, 1e-6, 1 - 1e-6))
    assert found.slope.estimate == pytest.approx(same.slope.estimate)


@pytest.mark.parametrize(
    ("truth", "chance", "why"),
    [
        ([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], "fewer than 5"),
        ([1] * 6, [0.5, 0.6, 0.7, 0.8, 0.9, 0.4], "only one class"),
        ([0, 1, 0, 1, np.nan, 1], [0.1, 0.9, 0.2, 0.8, 0.3, np.nan], "fewer than 5"),
    ],
)
def test_too_few_or_one_class_have_no_calibration(truth: list, chance: list, why: str) -> None:
    found = calibration(truth, chance)
    for one in (found.slope, found.intercept, found.in_the_large, found.observed_over_expected):
        assert one.estimate is None and why in str(one.reason)


def test_brier_is_that_of_scikit_learn_and_its_interval_that_of_a_mean() -> None:
    truth, chance = cohort(3)
    found = brier(truth, chance)
    assert found.score.estimate == pytest.approx(brier_score_loss(truth, chance))
    half = 1.96 * ((chance - truth) ** 2).std(ddof=1) / np.sqrt(300)
    assert found.score.low is not None and found.score.high is not None
    # 2,000 draws place a 2.5 % quantile within about 6 % of the half width
    assert (found.score.high - found.score.low) / 2 == pytest.approx(half, rel=0.08)
    repeated = brier(np.repeat(truth, 3), np.repeat(chance, 3), patient=np.repeat(np.arange(300), 3))
    assert (repeated.score.low, repeated.score.high) == pytest.approx((found.score.low, found.score.high))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.35, 0.5, 0.8, 1.0])), min_size=5, max_size=40))
@settings(max_examples=30, deadline=None)
def test_murphys_parts_add_up_and_have_no_rest_with_one_value_a_bin(rows: list[tuple[bool, float]]) -> None:
    truth, chance = np.array([t for t, _ in rows], float), np.array([c for _, c in rows])
    found = brier(truth, chance, bins=4 * len(rows), draws=50, level=0.9)
    assert found.within == pytest.approx(0, abs=1e-12)
    assert found.reliability is not None and found.resolution is not None and found.uncertainty is not None
    assert found.score.estimate == pytest.approx(found.reliability - found.resolution + found.uncertainty)
    said = {c: truth[chance == c].mean() for c in set(chance)}
    assert found.reliability == pytest.approx(np.mean([(c - said[c]) ** 2 for c in chance]))
    assert found.resolution == pytest.approx(np.mean([(said[c] - truth.mean()) ** 2 for c in chance]))


def test_brier_of_knowing_all_and_of_saying_the_share() -> None:
    truth = np.repeat([0, 1], [30, 10])
    assert brier(truth, truth).skill == 1
    share = brier(truth, np.full(40, 0.25))
    assert share.skill == pytest.approx(0) and share.reliability == pytest.approx(0)
    assert share.score.estimate == pytest.approx(0.25 * 0.75)
    assert brier([1] * 6, [0.9] * 6).skill is None
    assert brier([1, 0], [0.9, 0.1]).score.estimate is None


def test_reliability_table_by_hand() -> None:
    chance = [0.1, 0.1, 0.1, 0.2, 0.6, 0.7, 0.8, 0.9, np.nan]
    table = reliability([0, 0, 1, 0, 1, 0, 1, 1, 1], chance, bins=2)
    assert [(b.lowest, b.highest, b.observed.count, b.observed.total) for b in table] == [
        (0.1, 0.2, 1, 4),
        (0.6, 0.9, 3, 4),
    ]
    assert [b.predicted for b in table] == pytest.approx([0.125, 0.75])
    assert expected_calibration_error(table) == pytest.approx((4 * 0.125 + 4 * 0.0) / 8)
    assert expected_calibration_error(()) is None
    # a tie goes whole where its middle lies: 3 and 7 of these ten, not 9 and 1
    tied = reliability(np.zeros(10), [0.1] * 3 + [0.5] * 6 + [0.9], bins=2)
    assert [b.observed.total for b in tied] == [3, 7]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_bins_hold_everybody_once_in_order_and_keep_ties_together(steps: list[int], bins: int) -> None:
    chance = np.array(steps) / 20
    table = reliability(np.zeros(chance.size), chance, bins=bins)
    assert sum(b.observed.total for b in table) == chance.size and len(table) <= bins
    assert all(a.highest < b.lowest for a, b in pairwise(table))
    if np.unique(chance).size == chance.size:  # without ties the counts differ by one at most
        counts = [b.observed.total for b in table]
        assert max(counts) - min(counts) <= 1


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match=r"within 0 and 1, found 1\.2"):
        calibration([0, 1, 0, 1, 1], [0.1, 1.2, 0.3, 0.4, 0.5])
    with pytest.raises(Contradiction, match="one length"):
        brier([0, 1, 0, 1, 1], [0.1, 0.2])
    with pytest.raises(SettingsError, match="at least one bin"):
        reliability([0, 1], [0.1, 0.2], bins=0)
    with pytest.raises(SettingsError, match=r"clipped between 0 and 0\.5"):
        calibration([0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5], clip=0.0)
