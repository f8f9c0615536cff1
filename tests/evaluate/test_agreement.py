"""Agreement in one go: the short form, sizes of errors, bands, readers, and the table of resampled patients."""

import numpy as np
import pytest
from scipy import stats

from evaluate.answers import ends, pairs, refused
from livermre.evaluate import agreement
from livermre.evaluate.agreement_intervals import STATISTICS, agreement_intervals
from livermre.evaluate.bands import changed_bands
from livermre.evaluate.bland_altman import bland_altman
from livermre.evaluate.concordance import concordance
from livermre.evaluate.correlation import pearson, spearman
from livermre.evaluate.error_size import error_size
from livermre.evaluate.icc import icc
from livermre.evaluate.noninferiority import noninferiority
from livermre.exam.errors import Contradiction, SettingsError


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
