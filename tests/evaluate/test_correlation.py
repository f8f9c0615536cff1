"""Correlation and concordance against scipy, the printed examples of Bland and Altman, and simulated samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluate.answers import ends, pairs, refused
from evaluate.published import MINI, WRIGHT
from livermre.evaluate.concordance import concordance
from livermre.evaluate.correlation import pearson, spearman
from livermre.exam.errors import Contradiction, SettingsError


def test_fishers_interval_is_scipys_and_the_numbers_of_the_reference_study() -> None:
    measured, reference = pairs(1)
    found, other = pearson(measured[:40], reference[:40]), stats.pearsonr(measured[:40], reference[:40])
    assert found.estimate == pytest.approx(other.statistic)
    assert ends(found) == pytest.approx(tuple(other.confidence_interval(0.95)))
    # r = 0.943, n = 64: 0.908 to 0.965 (shared/reference/clinical.md, section 1)
    x = np.random.default_rng(0).normal(size=(2, 64))
    x -= x.mean(axis=1, keepdims=True)
    x[1] -= x[0] * (x[0] @ x[1]) / (x[0] @ x[0])
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    made = pearson(x[0], 0.943 * x[0] + np.sqrt(1 - 0.943**2) * x[1])
    assert made.estimate == pytest.approx(0.943)
    assert ends(made) == pytest.approx((0.908, 0.965), abs=5e-4)


def test_bland_and_altmans_correlation_of_two_meters() -> None:
    assert pearson(MINI[:, 0], WRIGHT[:, 0]).estimate == pytest.approx(0.94, abs=0.005)


def test_spearman_is_scipys_with_ties_and_its_interval_covers() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 8, 60).astype(float)
    y = x + rng.integers(0, 5, 60)
    assert spearman(x, y).estimate == pytest.approx(stats.spearmanr(x, y).statistic)
    # of a normal pair with r = 0.8 the rank correlation is 6/pi asin(r/2) (Pearson 1907)
    truth, held = 6 / np.pi * np.arcsin(0.4), 0
    for _ in range(400):
        a = rng.normal(size=50)
        low, high = ends(spearman(a, 0.8 * a + 0.6 * rng.normal(size=50)))
        held += low <= truth <= high
    assert held / 400 == pytest.approx(0.95, abs=0.03)  # binomial SE 1.1 %


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
def test_correlation_forgives_scale_and_shift_and_concordance_is_never_larger(
    seed: int, scale: float, shift: float
) -> None:
    x, y = np.random.default_rng(seed).normal(size=(2, 12))
    r = pearson(x, y)
    assert ends(pearson(scale * y + shift, x)) == pytest.approx(ends(r))
    assert spearman(np.exp(x), y).estimate == pytest.approx(spearman(x, y).estimate)
    c = concordance(x, y)
    assert c.estimate == pytest.approx(concordance(y, x).estimate)
    assert abs(c.estimate) <= abs(r.estimate) + 1e-12
    assert concordance(scale * x + shift, scale * y + shift).estimate == pytest.approx(c.estimate)


@pytest.mark.parametrize("correlate", [pearson, spearman, concordance])
def test_what_correlation_cannot_say(correlate) -> None:
    assert "at least 3 pairs, found 2" in correlate([1, 2, np.nan], [1, 2, 3]).reason
    four = correlate([1, 2, 3, 4], [1, 3, 2, 4])
    assert four.estimate is not None and refused(four, "at least 5 pairs, found 4")
    assert refused(correlate(np.ones(9), np.arange(9.0)), "does not vary")
    assert correlate(np.ones(9), np.ones(9)).estimate is None
    line = correlate(np.arange(9.0), np.arange(9.0))
    assert line.estimate == pytest.approx(1) and refused(line, "cannot be told")
    with pytest.raises(Contradiction, match="one length, found 4 and 5"):
        correlate(np.ones(4), np.ones(5))
    with pytest.raises(SettingsError, match="one column"):
        correlate(np.ones((4, 2)), np.ones((4, 2)))
    with pytest.raises(SettingsError, match="between 0 and 1"):
        correlate(np.arange(9.0), np.arange(9.0) ** 2, level=95)


def test_lins_interval_of_two_meters_and_its_delta_method() -> None:
    x, y = MINI[:, 0], WRIGHT[:, 0]
    found = concordance(x, y)
    v, u2 = x.std() / y.std(), (x.mean() - y.mean()) ** 2 / (x.std() * y.std())
    assert found.estimate == pytest.approx(stats.pearsonr(x, y).statistic * 2 / (v + 1 / v + u2))
    # a second way to the same standard error: jackknife of the z transform (n = 17, so only roughly)
    z = [np.arctanh(concordance(np.delete(x, i), np.delete(y, i)).estimate) for i in range(17)]
    jackknife = np.sqrt(16 / 17 * np.square(z - np.mean(z)).sum())
    half = (np.arctanh(found.high) - np.arctanh(found.low)) / 2 / 1.959964
    assert half == pytest.approx(jackknife, rel=0.25)


@pytest.mark.parametrize(("r", "shift", "scale"), [(0.9, 0.0, 1.0), (0.9, 0.7, 1.3), (0.6, 1.0, 1.0)])
def test_lins_variance_is_that_of_simulated_samples(r: float, shift: float, scale: float) -> None:
    """The formula that was printed in 1989 and corrected in 2000 differs where there is a shift."""
    rng = np.random.default_rng(2)
    z, half, held = [], [], 0
    truth = 2 * r * scale / (1 + scale**2 + shift**2)
    for _ in range(600):
        a = rng.normal(size=60)
        b = shift + scale * (r * a + np.sqrt(1 - r**2) * rng.normal(size=60))
        found = concordance(a, b)
        z.append(np.arctanh(found.estimate))
        half.append((np.arctanh(found.high) - np.arctanh(found.low)) / 2 / 1.959964)
        held += found.low <= truth <= found.high
    assert np.mean(half) == pytest.approx(np.std(z), rel=0.09)  # an SD of 600 is known to 3 %
    assert held / 600 == pytest.approx(0.95, abs=0.03)
