"""Bias and limits of agreement against Bland and Altman's own example, scipy, and promised coverage."""

import numpy as np
import pytest
from scipy import stats

from evaluate.answers import ends, pairs, refused
from evaluate.published import MINI, WRIGHT
from livermre.evaluate.bland_altman import bland_altman
from livermre.exam.errors import SettingsError


def test_bland_and_altmans_own_example() -> None:
    """Lancet 1986: bias -2.1 (-22.0 to 17.8), SD 38.8, limits with 2 SD -79.7 to 75.5, their intervals below."""
    found = bland_altman(WRIGHT[:, 0], MINI[:, 0], limits="approximate")
    assert (round(found.bias.estimate, 1), round(found.sd.estimate, 1)) == (-2.1, 38.8)
    assert ends(found.bias) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.bias.estimate - 2 * found.sd.estimate == pytest.approx(-79.7, abs=0.1)
    assert found.lower.estimate == pytest.approx(found.bias.estimate - 1.96 * found.sd.estimate)
    # 1986: limits from -114.3 to -45.1 and 40.9 to 110.1 by SE = sqrt(3 / n) SD, half width 34.6; 1999 refined the SE
    # to sqrt(1 / n + 1.96^2 / (2 (n - 1))) SD, half width 34.8
    low, high = ends(found.lower)
    assert (high - low) / 2 == pytest.approx(2.12 * np.sqrt(1 / 17 + 1.96**2 / 32) * 38.765, rel=1e-3)
    assert (low, high) == pytest.approx((-114.3, -45.1), abs=2)
    assert ends(found.upper) == pytest.approx((40.9, 110.1), abs=2)


@pytest.mark.parametrize("limits", ["exact", "approximate"])
def test_intervals_of_limits_cover_and_the_exact_one_exactly(limits: str) -> None:
    """n = 8, standard normal differences: the true upper limit is 1.96."""
    rng, held, tails = np.random.default_rng(4), np.zeros(3), np.zeros(2)
    for _ in range(500):
        found = bland_altman(rng.normal(size=8), np.zeros(8), limits=limits)
        held += [i.low <= t <= i.high for i, t in ((found.bias, 0), (found.sd, 1), (found.upper, 1.96))]
        tails += [found.upper.low > 1.96, found.upper.high < 1.96]
    assert held[:2] / 500 == pytest.approx((0.95, 0.95), abs=0.03)  # binomial SE 1 %
    if limits == "exact":
        assert held[2] / 500 == pytest.approx(0.95, abs=0.03)
        assert tails / 500 == pytest.approx((0.025, 0.025), abs=0.02)
    else:
        assert tails[1] / 500 > 0.05  # Carkeet 2015: the outer end of 1999 is too near for small n


def test_exact_limits_are_mirrored_and_wider_outside() -> None:
    found = bland_altman(WRIGHT[:, 0], MINI[:, 0])
    low, high = found.upper.low - found.upper.estimate, found.upper.high - found.upper.estimate
    assert high > -low
    assert ends(found.lower) == pytest.approx((found.lower.estimate - high, found.lower.estimate - low))
    # (limit - bias) sqrt(n) / SD is non-central t: its quantiles by scipy's own distribution
    factor = stats.nct.ppf([0.025, 0.975], 16, 1.96 * np.sqrt(17)) / np.sqrt(17)
    assert ends(found.upper) == pytest.approx(tuple(found.bias.estimate + factor * found.sd.estimate), rel=1e-6)


def test_proportional_bias_is_a_regression_of_difference_on_mean() -> None:
    measured, reference = (v[:50] for v in pairs(3))
    found = bland_altman(measured, reference)
    other = stats.linregress((measured + reference) / 2, measured - reference)
    assert found.slope.estimate == pytest.approx(other.slope)
    assert found.slope.high - found.slope.estimate == pytest.approx(stats.t.ppf(0.975, 48) * other.stderr)
    assert found.slope_p == pytest.approx(other.pvalue)


def test_percent_is_of_the_mean_or_of_the_reference() -> None:
    reference = np.linspace(2, 6, 20)
    of_reference = bland_altman(1.1 * reference, reference, scale="percent of reference")
    of_mean = bland_altman(1.1 * reference, reference, scale="percent of mean")
    assert of_reference.bias.estimate == pytest.approx(10)
    assert of_mean.bias.estimate == pytest.approx(100 * 0.1 / 1.05)
    assert refused(of_mean.bias, "do not vary")
    with pytest.raises(SettingsError, match="above zero on both sides, found 0"):
        bland_altman([1, 2, 0], [1, 2, 3], scale="percent of mean")
    with pytest.raises(SettingsError, match='"percent of reference", found'):
        bland_altman([1, 2, 3], [1, 2, 3], scale="percent")  # type: ignore[arg-type]


def test_what_bland_altman_cannot_say() -> None:
    assert bland_altman([1], [2]).bias.estimate == -1 and "at least 2 pairs" in bland_altman([1], [2]).sd.reason
    assert bland_altman([], []).bias.estimate is None
    four = bland_altman([1, 2, 3, 4], [1, 3, 2, 4])
    assert four.sd.estimate == pytest.approx(np.std([0, -1, 1, 0], ddof=1)) and refused(four.upper, "at least 5 pairs")
    flat = bland_altman(np.ones(9), np.ones(9))
    assert flat.bias.estimate == 0 and refused(flat.upper, "do not vary") and flat.slope.estimate is None
    gaps = bland_altman([1, 2, 3, 4, 5.5, np.nan], [1, 2.5, 3, 4, 5, 1])
    assert (gaps.pairs, gaps.left_out) == (5, 1)
    with pytest.raises(SettingsError, match='"approximate" interval'):
        bland_altman([1, 2], [1, 2], limits="bootstrap")  # type: ignore[arg-type]
