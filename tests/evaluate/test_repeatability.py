"""Repeatability against analysis of variance, formulas, and promised coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.published import MINI, WRIGHT
from livermre.evaluate.repeatability import RC_FACTOR, repeatability, same_twice
from livermre.evaluate.reproducibility import reproducibility
from livermre.exam.errors import SettingsError


def residual_mean_square(table: np.ndarray, *factors: int) -> float:
    """Analysis of variance by least squares on indicator columns of the factors' axes, gaps left out."""
    there = np.isfinite(table)
    levels = [np.indices(table.shape)[axis][there] for axis in factors]
    design = np.concatenate([np.eye(level.max() + 1)[level] for level in levels], axis=1)
    rest = table[there] - design @ np.linalg.lstsq(design, table[there], rcond=None)[0]
    return float(rest @ rest) / (rest.size - np.linalg.matrix_rank(design))


@pytest.mark.parametrize("table", [WRIGHT, MINI, np.vstack([np.hstack([WRIGHT, MINI[:, :1]]), [300, 310, np.nan]])])
def test_wsd_is_the_residual_of_a_one_way_analysis_of_variance(table: np.ndarray) -> None:
    """Also with unequal numbers of repeats."""
    found = repeatability(table)
    assert found.wsd.estimate == pytest.approx(np.sqrt(residual_mean_square(table, 0)))


def test_pairs_follow_the_formulas_of_two_repeats() -> None:
    """Bland and Altman 1986: the variance of one reading is half the mean squared difference."""
    d = WRIGHT[:, 0] - WRIGHT[:, 1]
    found = repeatability(WRIGHT)
    assert found.wsd.estimate == pytest.approx(np.sqrt((d**2).mean() / 2))
    assert found.rc.estimate == pytest.approx(1.96 * np.sqrt((d**2).mean()))
    assert round(found.rc.estimate / found.wsd.estimate, 2) == 2.77
    own = np.abs(d) / np.sqrt(2) / WRIGHT.mean(axis=1)  # SD / mean of each subject
    assert found.wcv_percent.estimate == pytest.approx(100 * np.sqrt((own**2).mean()))
    logs = np.log(WRIGHT[:, 0] / WRIGHT[:, 1])
    assert found.wcv_log_percent.estimate == pytest.approx(100 * np.sqrt(np.exp((logs**2).mean() / 2) - 1))
    assert (found.subjects, found.values, found.left_out) == (17, 34, 0)


def test_a_wcv_of_seven_percent_is_qibas_change_of_nineteen() -> None:
    """6.9 % -> 19 % (QIBA profile 2019): on simulated values with that variation."""
    rng = np.random.default_rng(0)
    sigma = np.sqrt(np.log1p(0.069**2))
    values = rng.uniform(2, 6, (4000, 1)) * np.exp(rng.normal(0, sigma, (4000, 2)))
    found = repeatability(values)
    assert found.wcv_log_percent.estimate == pytest.approx(6.9, rel=0.03)  # 4,000 df: SE 1.1 %
    assert found.wcv_percent.estimate == pytest.approx(6.9, rel=0.03)
    assert found.rc_percent.estimate == pytest.approx(19.1, rel=0.03)


def test_chi_square_intervals_cover() -> None:
    rng, held = np.random.default_rng(1), np.zeros(3)
    sigma = np.sqrt(np.log1p(0.08**2))
    for _ in range(400):
        found = repeatability(rng.uniform(2, 6, (12, 1)) + rng.normal(0, 0.3, (12, 3)))
        held[0] += found.wsd.low <= 0.3 <= found.wsd.high
        held[1] += found.rc.low <= 0.3 * RC_FACTOR <= found.rc.high
        found = repeatability(rng.uniform(2, 6, (12, 1)) * np.exp(rng.normal(0, sigma, (12, 3))))
        held[2] += found.wcv_log_percent.low <= 8 <= found.wcv_log_percent.high
    assert held / 400 == pytest.approx((0.95,) * 3, abs=0.033)  # binomial SE 1.1 %


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_laws_of_repeatability(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(2, 6, (8, 1)) + rng.normal(0, 0.2, (8, 3))
    found, scaled = repeatability(values), repeatability(scale * values[:, ::-1])
    assert scaled.wsd.high == pytest.approx(scale * found.wsd.high)
    assert scaled.wcv_percent.low == pytest.approx(found.wcv_percent.low)
    assert scaled.wcv_log_percent.estimate == pytest.approx(found.wcv_log_percent.estimate)
    moved = repeatability(values + 100 * np.arange(8)[:, None])  # subjects may lie anywhere
    assert moved.wsd.estimate == pytest.approx(found.wsd.estimate)


def test_what_repeatability_cannot_say() -> None:
    none = repeatability([[1.0, np.nan], [np.nan, 2.0]])
    assert none.wsd.estimate is None and none.left_out == 2 and none.wsd.reason == "no subject has two values"
    few = repeatability([[1.0, 1.2], [2.0, 2.1], [3.0, 3.3], [4.0, 4.1]])
    assert few.wsd.estimate is not None and "at least 5 subjects with repeats, found 4" in (few.wsd.reason or "")
    same = repeatability(np.repeat(np.arange(1, 9.0)[:, None], 2, axis=1))
    assert same.rc.estimate == 0 and "never differ" in (same.rc.reason or "")
    negative = repeatability(np.arange(18.0).reshape(9, 2) - 5)
    assert negative.wsd.low is not None and "above zero" in (negative.wcv_percent.reason or "")
    with pytest.raises(SettingsError, match="two or more"):
        repeatability(np.ones((4, 1)))


@pytest.mark.parametrize("repeats", [1, 2])
def test_reproducibility_adds_the_components_of_a_two_way_analysis_of_variance(repeats: int) -> None:
    rng = np.random.default_rng(2)
    n, c = 9, 3
    table = rng.uniform(2, 6, (n, 1, 1)) + rng.normal(0, 0.3, (1, c, 1)) + rng.normal(0, 0.2, (n, c, 1))
    table = table + (rng.normal(0, 0.1, (n, c, repeats)) if repeats > 1 else 0)
    found = reproducibility(table)
    cells = table.mean(axis=2)
    both = residual_mean_square(cells, 0, 1)  # on cell means
    conditions = n * cells.mean(axis=0).var(ddof=1)
    variance = (conditions - both) / n + both
    if repeats > 1:
        inside = float(table.var(axis=2, ddof=1).mean())
        variance = (conditions - both) / n + (both - inside / repeats) + inside
    assert found.sd.estimate == pytest.approx(np.sqrt(variance))
    assert found.rdc.estimate == pytest.approx(RC_FACTOR * np.sqrt(variance))
    assert found.rdc_percent.estimate == pytest.approx(100 * RC_FACTOR * np.sqrt(variance) / table.mean())


def test_reproducibility_covers_and_is_wider_than_repeats_alone_would_be() -> None:
    """Scanner SD 0.2, subject by scanner 0.1, repeat 0.15: SD over scanners 0.269; six scanners leave few df."""
    rng, held, truth = np.random.default_rng(3), 0, np.sqrt(0.2**2 + 0.1**2 + 0.15**2)
    for _ in range(400):
        table = rng.uniform(2, 6, (17, 1, 1)) + rng.normal(0, 0.2, (1, 6, 1)) + rng.normal(0, 0.1, (17, 6, 1))
        found = reproducibility(table + rng.normal(0, 0.15, (17, 6, 2)))
        held += found.sd.low <= truth <= found.sd.high
    assert held / 400 == pytest.approx(0.95, abs=0.035)  # binomial SE 1.1 %


def test_without_a_condition_effect_reproducibility_is_repeatability() -> None:
    rng = np.random.default_rng(4)
    table = rng.uniform(2, 6, (300, 1)) + rng.normal(0, 0.3, (300, 4))
    assert reproducibility(table).rdc.estimate == pytest.approx(repeatability(table).rc.estimate, rel=1e-9)


def test_what_reproducibility_cannot_say() -> None:
    assert "at least 2 subjects" in (reproducibility([[1.0, 2.0]]).sd.reason or "")
    few = reproducibility([[1.0, 2.0], [2.0, 3.5], [np.nan, 1.0]])
    assert few.sd.estimate is not None and few.left_out == 1 and "at least 5" in (few.sd.reason or "")
    same = reproducibility(np.repeat(np.arange(1, 9.0)[:, None], 3, axis=1))
    assert same.rdc.estimate == 0 and "never differ" in (same.rdc.reason or "")
    assert "above zero" in (reproducibility(np.arange(18.0).reshape(9, 2) - 5).rdc_percent.reason or "")
    with pytest.raises(SettingsError, match="two conditions or more"):
        reproducibility(np.ones((5, 1)))


def test_same_twice_means_to_the_last_bit() -> None:
    a = np.array([1.0, np.nan, 3.0])
    assert same_twice(a, a.copy())
    assert not same_twice(a, np.array([1.0, np.nan, np.nextafter(3, 4)]))
    assert not same_twice(a, np.array([1.0, 2.0, 3.0]))
    assert not same_twice(a, a[:2])
