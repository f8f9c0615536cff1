"""Agreement against formulas, printed tables, pingouin, scipy, and promised coverage."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluate.published import MINI, SHROUT_FLEISS, WRIGHT
from livermre.evaluate import agreement
from livermre.evaluate.agreement_intervals import STATISTICS, agreement_intervals
from livermre.evaluate.bands import changed_bands
from livermre.evaluate.bland_altman import bland_altman
from livermre.evaluate.concordance import concordance
from livermre.evaluate.correlation import pearson, spearman
from livermre.evaluate.error_size import error_size
from livermre.evaluate.icc import icc
from livermre.evaluate.interval import Interval
from livermre.evaluate.noninferiority import noninferiority
from livermre.exam.errors import Contradiction, SettingsError


def pairs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.normal(3, 0.8, 500)
    return 1.1 * reference + 0.2 + rng.normal(0, 0.3, 500), reference


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None and interval.high is not None, interval.reason
    return interval.low, interval.high


def refused(interval: Interval, why: str) -> bool:
    return interval.low is None and interval.high is None and why in (interval.reason or "")


# the short form that the road uses


def test_bias_and_limits_are_those_of_the_differences() -> None:
    measured, reference = pairs()
    found = agreement(measured, reference)
    assert found is not None
    low, high = found.limits
    assert (low + high) / 2 == pytest.approx(found.bias) == pytest.approx(np.mean(measured - reference))
    assert high - low == pytest.approx(2 * 1.96 * np.std(measured - reference, ddof=1))
    assert found.bias_percent == pytest.approx(100 * (measured.mean() / reference.mean() - 1))


def test_pearson_agrees_with_scipy_and_concordance_is_r_times_the_bias_correction() -> None:
    measured, reference = pairs()
    found = agreement(measured, reference)
    assert found is not None and found.pearson is not None and found.concordance is not None
    assert found.pearson == pytest.approx(stats.pearsonr(measured, reference).statistic)
    # Lin 1989, equation 8: C_b from the scale shift v and the location shift u
    v = measured.std() / reference.std()
    u = (measured.mean() - reference.mean()) / np.sqrt(measured.std() * reference.std())
    assert found.concordance == pytest.approx(found.pearson * 2 / (v + 1 / v + u**2))


def test_concordance_sees_the_bias_that_correlation_forgives() -> None:
    reference = np.linspace(1, 5, 50)
    found = agreement(2 * reference, reference)
    assert found is not None and found.pearson == pytest.approx(1.0)
    assert found.concordance is not None and found.concordance < 0.6


def test_missing_values_are_left_out_pair_by_pair_and_too_few_give_nothing() -> None:
    measured, reference = pairs()
    measured[:3], reference[5] = np.nan, np.inf
    found = agreement(measured, reference)
    assert found is not None and found.pairs == 496
    assert agreement(np.array([1.0, np.nan, 2.0]), np.ones(3)) is None
    flat = agreement(np.ones(5), np.ones(5))
    assert flat is not None and flat.pearson is None and flat.bias == 0


def test_different_shapes_are_refused() -> None:
    with pytest.raises(Contradiction, match="one shape"):
        agreement(np.ones(4), np.ones(5))


# correlation


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


# concordance


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


# intraclass correlation


def test_shrout_and_fleiss() -> None:
    found = icc(SHROUT_FLEISS)
    assert round(found.agreement.estimate, 2) == 0.29
    assert round(found.consistency.estimate, 2) == 0.71
    assert (found.subjects, found.raters, found.left_out) == (6, 4, 0)
    # intervals printed by R's psych::ICC for the same table: 0.019 to 0.76, and 0.34 to 0.95
    assert ends(found.agreement) == pytest.approx((0.019, 0.76), abs=5e-3)
    assert ends(found.consistency) == pytest.approx((0.34, 0.95), abs=5e-3)


@pytest.mark.parametrize(("n", "k", "bias"), [(6, 4, 0), (30, 2, 0.5), (12, 3, 2.0)])
def test_icc_is_pingouins(n: int, k: int, bias: float) -> None:
    import pandas as pd
    import pingouin

    rng = np.random.default_rng(n)
    table = SHROUT_FLEISS if n == 6 else rng.normal(0, 2, (n, 1)) + bias * np.arange(k) + rng.normal(0, 0.5, (n, k))
    rows, columns = np.meshgrid(range(n), range(k), indexing="ij")
    long = pd.DataFrame({"subject": rows.ravel(), "rater": columns.ravel(), "value": table.ravel()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pingouin.intraclass_corr(long, "subject", "rater", "value")
    interval = next(c for c in other.columns if c.startswith("CI95"))
    names = {"ICC(A,1)": "agreement", "ICC2": "agreement", "ICC(C,1)": "consistency", "ICC3": "consistency"}
    checked = 0
    for _, row in other.iterrows():
        if row["Type"] in names:
            mine = getattr(icc(table), names[row["Type"]])
            assert mine.estimate == pytest.approx(row["ICC"])
            assert ends(mine) == pytest.approx(tuple(row[interval]), abs=0.0051)  # pingouin may round to two digits
            checked += 1
    assert checked == 2


def test_icc_intervals_cover_a_population_of_raters() -> None:
    """Subjects SD 2, raters SD 0.5, error SD 1: ICC(A,1) = 4 / 5.25, ICC(C,1) = 4 / 5."""
    rng, held = np.random.default_rng(3), np.zeros(2)
    for _ in range(400):
        found = icc(rng.normal(0, 2, (25, 1)) + rng.normal(0, 0.5, (1, 4)) + rng.normal(0, 1, (25, 4)))
        held += [ends(found.agreement)[0] <= 4 / 5.25 <= ends(found.agreement)[1],
                 ends(found.consistency)[0] <= 0.8 <= ends(found.consistency)[1]]  # fmt: skip
    assert held / 400 == pytest.approx((0.95, 0.95), abs=0.033)  # binomial SE 1.1 %


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
def test_laws_of_icc(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 2, (8, 1)) + rng.normal(0, 1, (8, 3))
    found = icc(table)
    moved = icc(scale * table[:, ::-1] + shift)
    assert ends(moved.agreement) == pytest.approx(ends(found.agreement))
    biased = icc(table + shift * np.arange(3))  # consistency forgives a rater's bias
    assert ends(biased.consistency) == pytest.approx(ends(found.consistency))
    assert icc(np.vstack([table, [1, 2, np.nan]])).left_out == 1
    assert icc(np.vstack([table, [1, 2, np.nan]])).agreement == found.agreement


def test_what_icc_cannot_say() -> None:
    rng = np.random.default_rng(0)
    assert "at least 2 subjects" in icc(np.ones((1, 3))).agreement.reason
    assert refused(icc(rng.normal(size=(4, 2))).agreement, "at least 5 subjects, found 4")
    assert icc(np.full((9, 2), 3.3)).agreement.reason == "the ratings do not vary"
    same = icc(np.repeat(rng.normal(3, 1, (9, 1)), 2, axis=1))
    assert same.agreement.estimate == 1 and refused(same.agreement, "agree exactly")
    shifted = icc(rng.normal(3, 1, (9, 1)) + np.array([[0, 0.5]]))
    assert shifted.consistency.estimate == 1 and refused(shifted.consistency, "constants only")
    assert shifted.agreement.estimate < 1 and shifted.agreement.low is not None
    with pytest.raises(SettingsError, match="two raters or more"):
        icc(np.ones((9, 1)))


# Bland-Altman


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


# sizes of errors, bands, readers


def test_sizes_of_errors_are_counted_on_paper() -> None:
    reference = np.array([2.0, 2.0, 4.0, 4.0, 5.0, np.nan])
    measured = np.array([2.1, 1.8, 4.0, 5.0, 4.1, 1.0])  # 5, 10, 0, 25, 18 %
    found = error_size(measured, reference)
    assert found.mae == pytest.approx(np.mean([0.1, 0.2, 0, 1, 0.9]))
    assert found.rmse == pytest.approx(np.sqrt(np.mean(np.square([0.1, 0.2, 0, 1, 0.9]))))
    assert found.mape == pytest.approx(np.mean([5, 10, 0, 25, 18]))
    assert [found.within[p].estimate for p in (5, 10, 19)] == pytest.approx([0.4, 0.6, 0.8])
    assert (found.pairs, found.left_out) == (5, 1)
    assert ends(found.within[19]) == pytest.approx(
        tuple(stats.binomtest(4, 5).proportion_ci(method="wilson")), abs=1e-12
    )
    assert error_size([np.nan], [1]).reason == "there are no pairs"
    zero = error_size([1.0, 2.0], [0.0, 2.0])
    assert zero.mae == 0.5 and zero.mape is None and "above zero" in (zero.reason or "")


def test_changed_bands_are_counted_and_an_edge_belongs_above() -> None:
    edges = [2.5, 2.9, 3.5, 4.0, 5.0]
    found = changed_bands([2.4, 2.5, 3.6, 5.1, 3.0, np.nan], [2.4, 2.4, 2.6, 4.5, 3.6, 1.0], edges)
    assert found.changed.estimate == pytest.approx(4 / 5)
    assert found.by_two_or_more.estimate == pytest.approx(1 / 5)
    assert found.up.estimate == pytest.approx(3 / 5)
    assert (found.pairs, found.left_out) == (5, 1)
    assert changed_bands([], [], edges).changed.reason is not None
    with pytest.raises(SettingsError, match="must rise"):
        changed_bands([1], [1], [3, 2])


def test_noninferiority_needs_the_margin_and_answers_by_the_upper_end() -> None:
    rng = np.random.default_rng(7)
    truth = rng.uniform(2, 6, 120)
    readers = truth[:, None] + rng.normal(0, 0.3, (120, 2))
    near, far = truth + rng.normal(0, 0.1, 120), truth + 0.5
    good = noninferiority(near, readers, np.arange(120), margin=0.05)
    assert good.noninferior is True and good.excess.estimate < 0
    bad = noninferiority(far, readers, np.arange(120), margin=0.05)
    assert bad.noninferior is False
    # by hand: |m - r1| and |m - r2| averaged, minus |r1 - r2|
    by_hand = np.abs(near[:, None] - readers).mean() - np.abs(readers[:, 0] - readers[:, 1]).mean()
    assert good.excess.estimate == pytest.approx(by_hand)
    assert noninferiority(far, readers, np.arange(120), margin=2).noninferior is True
    assert noninferiority(far, readers, np.arange(120), margin=bad.excess.high - 1e-9).noninferior is False
    assert noninferiority(far, readers, np.arange(120), margin=bad.excess.high + 1e-9).noninferior is True
    few = noninferiority(near[:4], readers[:4], np.arange(4), margin=1)
    assert few.noninferior is None and "at least 5 patients" in (few.reason or "")
    with pytest.raises(SettingsError, match="fixed before"):
        noninferiority(near, readers, np.arange(120), margin=-0.1)
    with pytest.raises(SettingsError, match="two readers or more"):
        noninferiority(near, readers[:, :1], np.arange(120), margin=0.1)
    with pytest.raises(Contradiction, match="120, 120 and 119"):
        noninferiority(near, readers, np.arange(119), margin=0.1)


# everything at once, patients resampled


def exams(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    reference = rng.uniform(2, 6, 40)[patient] + rng.normal(0, 0.1, patient.size)
    bias = rng.normal(0.1, 0.3, 40)[patient]
    return reference + bias + rng.normal(0, 0.05, patient.size), reference, patient


def test_every_statistic_of_the_table_is_the_one_of_its_own_function() -> None:
    measured, reference, patient = exams()
    found = agreement_intervals(measured, reference, patient, draws=60)
    assert tuple(found) == STATISTICS
    units, percent = bland_altman(measured, reference), bland_altman(measured, reference, scale="percent of mean")
    both, size = icc(np.stack([measured, reference], 1)), error_size(measured, reference)
    expected = {
        "bias": units.bias.estimate, "sd": units.sd.estimate,
        "lower_limit": units.lower.estimate, "upper_limit": units.upper.estimate,
        "bias_percent": percent.bias.estimate, "sd_percent": percent.sd.estimate,
        "lower_limit_percent": percent.lower.estimate, "upper_limit_percent": percent.upper.estimate,
        "pearson": pearson(measured, reference).estimate, "ccc": concordance(measured, reference).estimate,
        "icc_agreement": both.agreement.estimate, "icc_consistency": both.consistency.estimate,
        "slope_of_difference": units.slope.estimate, "slope_of_percent_difference": percent.slope.estimate,
        "mae": size.mae, "rmse": size.rmse, "mape": size.mape,
        "within_5_percent": size.within[5].estimate, "within_10_percent": size.within[10].estimate,
        "within_19_percent": size.within[19].estimate, "spearman": spearman(measured, reference).estimate,
    }  # fmt: skip
    assert {k: v.estimate for k, v in found.items()} == pytest.approx(expected, rel=1e-9)
    assert all(v.low <= v.estimate <= v.high for v in found.values() if v.low is not None)


def test_repeats_of_a_patient_do_not_make_the_interval_narrower() -> None:
    """Each exam copied nine times under its patient: same interval; taken as new patients, a third of the width."""
    measured, reference, patient = exams(1)
    once = agreement_intervals(measured, reference, patient, draws=300)["bias"]
    copies = [np.tile(v, 9) for v in (measured, reference, patient)]
    again = agreement_intervals(*copies, draws=300)["bias"]
    assert ends(again) == pytest.approx(ends(once))
    naive = agreement_intervals(*copies[:2], np.arange(copies[0].size), draws=300)["bias"]
    assert naive.high - naive.low < 0.4 * (once.high - once.low)


def test_what_the_table_cannot_say() -> None:
    flat = agreement_intervals(np.full(9, 3.0), np.full(9, 3.0), np.arange(9), draws=60)
    assert flat["bias"].estimate == 0 and flat["pearson"].estimate is None and flat["icc_agreement"].estimate is None
    assert refused(flat["bias"], "same value")
    empty = agreement_intervals([np.nan], [1.0], ["a"], draws=60)
    assert all(v.estimate is None and v.reason == "there are no rows" for v in empty.values())
    two = agreement_intervals([2.0, 3.0], [2.1, 3.3], ["a", "b"], draws=60)
    assert two["bias"].estimate == pytest.approx(-0.2) and refused(two["bias"], "at least 5 patients")
    with pytest.raises(Contradiction, match="2 rows, 1 patients"):
        agreement_intervals([1, 2], [1, 2], ["a"])
    with pytest.raises(SettingsError, match="above zero"):
        agreement_intervals([1, -2], [1, 2], ["a", "b"])
