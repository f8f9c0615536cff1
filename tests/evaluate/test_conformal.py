"""Conformal intervals against the exact coverage that theory gives, and coverage by hand."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from livermre.evaluate.conformal import (
    conformal_interval,
    conformal_quantile,
    conformal_scores,
    mondrian_quantiles,
    quantiles_of,
)
from livermre.evaluate.coverage import coverage
from livermre.exam.errors import Contradiction, SettingsError


def test_rank_is_exact_for_every_number_of_patients() -> None:
    """Scores 1..n show the rank itself; whole-number arithmetic says what it must be (0.58 x 50 is 29, not 30)."""
    for n in range(1, 400):
        for percent in (5, 10, 18, 42):
            rank = ceil((n + 1) * Fraction(100 - percent, 100))
            found = conformal_quantile(np.arange(1.0, n + 1), miscoverage=percent / 100)
            assert found.quantile == (rank if rank <= n else None), (n, percent)


def test_too_few_calibration_patients_are_said() -> None:
    found = conformal_quantile(np.ones(18))
    assert found.quantile is None and found.reason == "a 95 % interval needs at least 19 calibration patients, found 18"
    assert conformal_quantile([np.nan] * 5 + [1.0] * 19).patients == 19


def test_coverage_is_the_beta_law_of_the_theory() -> None:
    """For continuous scores coverage is Beta(k, n + 1 - k) (Vovk 2012): mean k/(n + 1), here 49/51."""
    rng = np.random.default_rng(9)
    covered = np.array([conformal_quantile(rng.random(50)).quantile for _ in range(2000)], dtype=float)
    spread = np.sqrt(49 * 2 / (51**2 * 52))
    assert covered.mean() == pytest.approx(49 / 51, abs=4 * spread / np.sqrt(2000))  # a rank off by one is 0.02 away
    assert covered.std() == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("kind", ["absolute", "relative", "log", "normalised"])
def test_intervals_of_every_kind_cover_new_patients(kind: str) -> None:
    """Stiffness with proportional, skewed error: 300 sets of 99 calibrate, one new patient each; 95/100 expected."""
    rng = np.random.default_rng(10)
    inside = 0
    for _ in range(300):
        estimate = rng.uniform(1.5, 8, 100)
        spread = 0.1 * estimate
        truth = estimate * np.exp(0.1 * rng.standard_t(4, 100))
        about = spread if kind == "normalised" else None
        scores = conformal_scores(truth[:99], estimate[:99], kind=kind, spread=None if about is None else about[:99])
        q = conformal_quantile(scores).quantile
        assert q is not None
        low, high = conformal_interval(estimate[99:], q, kind=kind, spread=None if about is None else about[99:])
        inside += bool(low[0] <= truth[99] <= high[0])
    assert inside / 300 == pytest.approx(0.95, abs=0.038)  # 3 SD of 300 draws


@pytest.mark.parametrize("kind", ["absolute", "relative", "log", "normalised"])
def test_a_truth_lies_inside_exactly_where_its_score_is_at_most_the_quantile(kind: str) -> None:
    rng = np.random.default_rng(11)
    estimate, truth, spread = rng.uniform(1, 6, 200), rng.uniform(1, 6, 200), rng.uniform(0.1, 1, 200)
    about = spread if kind == "normalised" else None
    scores = conformal_scores(truth, estimate, kind=kind, spread=about)
    q = float(np.sort(scores)[120]) + 1e-9
    low, high = conformal_interval(estimate, q, kind=kind, spread=about)
    assert np.array_equal((low <= truth) & (truth <= high), scores <= q)


def test_scores_by_hand() -> None:
    assert conformal_scores([3.0], [2.0]) == pytest.approx([1.0])
    assert conformal_scores([3.0], [2.0], kind="relative") == pytest.approx([0.5])
    assert conformal_scores([3.0], [2.0], kind="log") == pytest.approx([np.log(1.5)])
    assert conformal_scores([3.0], [2.0], kind="normalised", spread=[0.25]) == pytest.approx([4.0])
    low, high = conformal_interval([2.0, np.nan], np.log(1.5), kind="log")
    assert (low[0], high[0]) == pytest.approx((4 / 3, 3.0)) and np.isnan(low[1])


def test_groups_are_covered_each_for_itself() -> None:
    """A rare vendor with three times the error: one pooled quantile covers 3 in 4 of its exams, its own 95 %."""
    rng = np.random.default_rng(12)
    group = np.tile([*"AAAAB"], 2000)
    miss = rng.normal(size=10_000) * np.where(group == "A", 1, 3)
    fit, new = np.arange(10_000) < 5000, np.arange(10_000) >= 5000
    own = mondrian_quantiles(np.abs(miss[fit]), group[fit])
    low, high = conformal_interval(np.zeros(5000), quantiles_of(group[new], own))
    pooled = conformal_quantile(np.abs(miss[fit])).quantile
    assert pooled is not None
    for name in ("A", "B"):
        rows = group[new] == name
        found = coverage(miss[new][rows], low[rows], high[rows])
        assert found.inside.share == pytest.approx(0.95, abs=0.03)  # 3 SD of 1,000 and 1,000
    assert (np.abs(miss[new][group[new] == "B"]) <= pooled).mean() < 0.85
    unknown = quantiles_of(["A", "C"], own)
    assert np.isnan(unknown[1]) and np.isnan(conformal_interval([1.0, 1.0], unknown)[0][1])


def test_coverage_by_hand() -> None:
    found = coverage([1, 2, 3, 4, np.nan, 5], [1, 2.5, 1, 1, 0, np.nan], [2, 3, 3, 3, 1, 6])
    assert (found.inside.count, found.inside.total, found.below, found.above, found.left_out) == (2, 4, 1, 1, 2)
    assert found.mean_width == pytest.approx((1 + 0.5 + 2 + 2) / 4) and found.median_width == pytest.approx(1.5)
    assert found.mean_width_percent == pytest.approx(25 * (1 / 1.5 + 0.5 / 2.75 + 2 / 2 + 2 / 2))
    nothing = coverage([np.nan], [0], [1])
    assert nothing.inside.share is None and nothing.mean_width is None
    assert coverage([0.0], [-1], [1]).mean_width_percent is None


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(Contradiction, match="lower end lies above"):
        coverage([1], [2], [1])
    with pytest.raises(SettingsError, match="estimates above 0, found 0"):
        conformal_scores([1.0], [0.0], kind="relative")
    with pytest.raises(SettingsError, match="truths above 0"):
        conformal_scores([0.0], [1.0], kind="log")
    with pytest.raises(SettingsError, match="spread belongs to normalised"):
        conformal_scores([1.0], [1.0], kind="normalised")
    with pytest.raises(SettingsError, match="spreads above 0"):
        conformal_scores([1.0], [1.0], kind="normalised", spread=[0.0])
    with pytest.raises(SettingsError, match="one of absolute"):
        conformal_scores([1.0], [1.0], kind="squared")
    with pytest.raises(SettingsError, match="between 0 and 1"):
        conformal_quantile([1.0], miscoverage=5)
    with pytest.raises(SettingsError, match="not below 0"):
        conformal_interval([1.0], -1.0)
    with pytest.raises(Contradiction, match="one an exam"):
        conformal_interval([1.0, 2.0], np.ones(3))
    with pytest.raises(Contradiction, match="groups must have one length"):
        mondrian_quantiles([1.0, 2.0], ["A"])
