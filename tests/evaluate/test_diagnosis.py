"""Shares, likelihood ratios and predictive values against published tables, statsmodels, Bayes and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import proportion_confint

from livermre.evaluate.diagnosis import diagnose, diagnose_at
from livermre.evaluate.interval import Interval
from livermre.evaluate.prevalence import predictive_values
from livermre.evaluate.proportion import proportion, share_of
from livermre.evaluate.two_thresholds import two_thresholds
from livermre.exam.errors import Contradiction, SettingsError


def ends(found: Interval) -> tuple[float, float]:
    assert found.low is not None and found.high is not None
    return found.low, found.high


def patients(tp: int, fp: int, fn: int, tn: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])


@pytest.mark.parametrize(
    ("count", "total", "wilson", "exact"),
    [  # Newcombe, Stat Med 1998;17:857, table I, methods 3 and 5
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_published_intervals_of_shares(count: int, total: int, wilson: tuple, exact: tuple) -> None:
    assert ends(proportion(count, total).interval) == pytest.approx(wilson, abs=5e-5)
    assert ends(proportion(count, total, method="exact").interval) == pytest.approx(exact, abs=5e-5)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95]))
@settings(max_examples=50, deadline=None)
def test_intervals_of_shares_are_those_of_statsmodels(case: tuple[int, int], level: float) -> None:
    for ours, theirs in (("wilson", "wilson"), ("exact", "beta")):
        found = proportion(*case, level=level, method=ours)
        assert ends(found.interval) == pytest.approx(proportion_confint(*case, 1 - level, theirs), abs=1e-9)
        turned = proportion(case[1] - case[0], case[1], level=level, method=ours)
        assert ends(turned.interval) == pytest.approx((1 - ends(found.interval)[1], 1 - ends(found.interval)[0]))
        assert found.low is not None and found.share is not None and found.high is not None
        assert found.low <= found.share <= found.high


def test_a_share_of_nobody_is_none_and_says_so() -> None:
    found = proportion(0, 0)
    assert found.share is None and found.low is None and "total is 0" in str(found.reason)
    assert share_of(np.array([True, False, True])).share == pytest.approx(2 / 3)
    with pytest.raises(SettingsError, match="found 3 of 2"):
        proportion(3, 2)
    with pytest.raises(SettingsError, match="wilson, exact, found wald"):
        proportion(1, 2, method="wald")


def test_the_four_counts_and_their_shares() -> None:
    found = diagnose(*patients(tp=90, fp=30, fn=10, tn=170))
    assert (found.true_positive, found.false_positive, found.false_negative, found.true_negative) == (90, 30, 10, 170)
    assert found.sensitivity.share == pytest.approx(0.9)
    assert found.specificity.share == pytest.approx(0.85)
    assert found.ppv.share == pytest.approx(0.75)
    assert found.npv.share == pytest.approx(170 / 180)
    assert found.accuracy.share == pytest.approx(260 / 300)
    assert found.lr_positive.estimate == pytest.approx(0.9 / 0.15)
    assert found.lr_negative.estimate == pytest.approx(0.1 / 0.85)


def test_likelihood_ratios_have_the_log_interval_of_a_relative_risk() -> None:
    """Statsmodels' risk ratio of the same table: being called (or cleared), positives against negatives."""
    found = diagnose(*patients(tp=44, fp=7, fn=11, tn=63), level=0.9)
    called, cleared = Table2x2([[44, 11], [7, 63]]), Table2x2([[11, 44], [63, 7]])
    assert ends(found.lr_positive) == pytest.approx(called.riskratio_confint(0.1))
    assert ends(found.lr_negative) == pytest.approx(cleared.riskratio_confint(0.1))


def test_a_cutoff_calls_from_its_own_value_on_and_leaves_missing_out() -> None:
    found = diagnose_at([1, 1, 0, 0, 1, np.nan], [3.0, 2.9, 3.0, 2.0, np.nan, 5.0], 3.0)
    assert (found.true_positive, found.false_negative, found.false_positive, found.true_negative) == (1, 1, 1, 1)
    assert found.left_out == 2 and found.cutoff == 3.0


def test_zero_counts_are_said_and_not_guessed() -> None:
    perfect = diagnose(*patients(tp=10, fp=0, fn=0, tn=12))
    assert perfect.lr_positive.estimate is None and "no false positive" in str(perfect.lr_positive.reason)
    assert perfect.lr_negative.estimate == 0 and perfect.lr_negative.low is None
    assert perfect.sensitivity.low is not None and perfect.sensitivity.low == pytest.approx(0.7225, abs=5e-5)
    one = diagnose([1, 1, 1], [1, 0, 1])
    assert one.specificity.share is None and one.npv.share == 0 and one.lr_positive.estimate is None
    assert "only one class" in str(one.lr_positive.reason)


def test_bayes_gives_back_the_sample_at_its_own_prevalence() -> None:
    table = diagnose(*patients(tp=90, fp=30, fn=10, tn=170))
    found = predictive_values(table.sensitivity, table.specificity, 1 / 3)
    assert found.ppv.estimate == pytest.approx(table.ppv.share)
    assert found.npv.estimate == pytest.approx(table.npv.share)
    rare = predictive_values(table.sensitivity, table.specificity, 0.1)
    assert rare.ppv.estimate == pytest.approx(0.9 * 0.1 / (0.9 * 0.1 + 0.15 * 0.9))
    assert rare.npv.estimate == pytest.approx(0.85 * 0.9 / (0.85 * 0.9 + 0.1 * 0.1))


def test_interval_of_predictive_values_is_the_delta_method_on_the_log_odds() -> None:
    """Derivatives by differences instead of Mercaldo's algebra."""
    se, n, sp, m, pi, h = 0.8, 50, 0.9, 70, 0.2, 1e-6
    found = predictive_values(proportion(40, 50), proportion(63, 70), pi)

    def ppv(se: float, sp: float) -> float:
        return np.log(se * pi / ((1 - sp) * (1 - pi)))

    def npv(se: float, sp: float) -> float:
        return np.log(sp * (1 - pi) / ((1 - se) * pi))

    for value, interval in ((ppv, found.ppv), (npv, found.npv)):
        by_se = (value(se + h, sp) - value(se - h, sp)) / (2 * h)
        by_sp = (value(se, sp + h) - value(se, sp - h)) / (2 * h)
        half = 1.959964 * np.sqrt(by_se**2 * se * (1 - se) / n + by_sp**2 * sp * (1 - sp) / m)
        odds = [np.log(v / (1 - v)) for v in ends(interval)]
        assert odds == pytest.approx([value(se, sp) - half, value(se, sp) + half], rel=1e-5)


def test_interval_of_predictive_values_covers() -> None:
    rng = np.random.default_rng(8)
    se, sp, pi = 0.9, 0.85, 0.1
    true = se * pi / (se * pi + (1 - sp) * (1 - pi)), sp * (1 - pi) / (sp * (1 - pi) + (1 - se) * pi)
    inside = np.zeros(2)
    for hits, passes in zip(rng.binomial(300, se, 1000), rng.binomial(400, sp, 1000)):
        found = predictive_values(proportion(hits, 300), proportion(passes, 400), pi)
        for i, one in enumerate((found.ppv, found.npv)):
            low, high = ends(one)
            inside[i] += low <= true[i] <= high
    assert inside / 1000 == pytest.approx(0.95, abs=0.021)  # 3 SD of 1000 draws


def test_predictive_values_where_a_count_is_zero() -> None:
    found = predictive_values(proportion(30, 30), proportion(45, 50), 0.1)
    assert found.npv.estimate == 1 and found.npv.high == 1 and found.npv.method == "adjusted logit"
    assert found.npv.low is not None and 0.95 < found.npv.low < 1
    nobody = predictive_values(proportion(0, 30), proportion(50, 50), 0.1)
    assert nobody.ppv.estimate is None and "nobody is called positive" in str(nobody.ppv.reason)
    assert nobody.npv.estimate == pytest.approx(0.9)
    missing = predictive_values(proportion(0, 0), proportion(45, 50), 0.1)
    assert missing.ppv.estimate is None and "only one class" in str(missing.ppv.reason)
    for wrong in (0, 1, 10):
        with pytest.raises(SettingsError, match="prevalence lies between 0 and 1"):
            predictive_values(proportion(9, 10), proportion(9, 10), wrong)


def test_two_thresholds_by_hand() -> None:
    score = [1.0, 2.0, 2.5, 3.0, 3.5, 5.0, 1.5, 2.9, 3.0, 4.0, np.nan]
    truth = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    found = two_thresholds(truth, score, rule_out_below=2.5, rule_in_from=3.5)
    assert found.negatives == (2, 2, 2) and found.positives == (1, 2, 1) and found.left_out == 1
    assert (found.npv_ruled_out.count, found.npv_ruled_out.total) == (2, 3)
    assert (found.ppv_ruled_in.count, found.ppv_ruled_in.total) == (1, 3)
    assert found.sensitivity_of_rule_out.share == pytest.approx(3 / 4)
    assert found.specificity_of_rule_in.share == pytest.approx(4 / 6)
    assert found.indeterminate.share == pytest.approx(0.4)
    assert found.correct_when_decided.share == pytest.approx(0.5)
    assert found.wrong.share == pytest.approx(0.3)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=30), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_equal_thresholds_are_one_cutoff(rows: list[tuple[bool, int]], cutoff: int) -> None:
    truth, score = [p for p, _ in rows], [float(s) for _, s in rows]
    two = two_thresholds(truth, score, rule_out_below=cutoff, rule_in_from=cutoff)
    one = diagnose_at(truth, score, cutoff)
    assert two.indeterminate.count == 0
    assert two.sensitivity_of_rule_out == one.sensitivity and two.specificity_of_rule_in == one.specificity
    assert two.ppv_ruled_in == one.ppv and two.npv_ruled_out == one.npv
    assert two.correct_when_decided == one.accuracy


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="may not lie above"):
        two_thresholds([0, 1], [1, 2], rule_out_below=4, rule_in_from=3)
    with pytest.raises(Contradiction, match="one length"):
        diagnose([0, 1], [1])
    with pytest.raises(SettingsError, match="finite number"):
        diagnose_at([0, 1], [1, 2], np.nan)
    with pytest.raises(SettingsError, match="called must be 0, 1"):
        diagnose([0, 1], [1, 0.5])
